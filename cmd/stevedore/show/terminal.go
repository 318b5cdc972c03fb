package show

import (
	"io"
	"os"

	"golang.org/x/term"
)

// terminal returns a function that tells how many columns the terminal
// behind w has now. It returns nil if w is no terminal.
func terminal(w io.Writer) func() int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return func() int {
		const usual = 80
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
		return usual
	}
}
