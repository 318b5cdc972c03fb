package show

import (
	"io"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
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

// Wrapped returns a text as it is to be printed to w. On a terminal,
// lines are broken between words to fit the width. A word that is
// longer than a line, such as a URL, stays whole, so that it can be
// copied. Control characters are removed, which a terminal would obey.
func Wrapped(w io.Writer, s string) string {
	if columns := terminal(w); columns != nil {
		return wrap(printable(s), columns()-1)
	}
	return s
}

func wrap(s string, width int) string {
	var out strings.Builder
	for line := range strings.Lines(s) {
		content := strings.TrimLeft(line, " ")
		indent := line[:len(line)-len(content)]
		used := 0
		for _, word := range strings.Fields(content) {
			size := text.StringWidthWithoutEscSequences(word)
			switch {
			case used == 0:
				out.WriteString(indent)
				used = len(indent)
			case used+1+size > width:
				out.WriteString("\n" + indent)
				used = len(indent)
			default:
				out.WriteString(" ")
				used++
			}
			out.WriteString(word)
			used += size
		}
		out.WriteString(line[len(strings.TrimSuffix(line, "\n")):])
	}
	return out.String()
}
