package job

import (
	"io"
	"iter"
)

// WriteParts writes the pieces of Parts.Data, one after the other.
func WriteParts(w io.Writer, data iter.Seq2[[]byte, error]) error {
	for piece, err := range data {
		if err != nil {
			return err
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
	return nil
}
