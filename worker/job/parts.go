package job

import (
	"io"
	"iter"
)

// Sum adds up the tallies of all parts, and the bytes of their data.
func Sum(parts iter.Seq2[Part, error]) (tally map[string]int64, size int64, err error) {
	tally = map[string]int64{}
	for p, err := range parts {
		if err != nil {
			return nil, 0, err
		}
		size += int64(len(p.Data))
		for name, n := range p.Tally {
			tally[name] += n
		}
	}
	return tally, size, nil
}

// WriteParts writes the data of all parts, one after the other.
func WriteParts(w io.Writer, parts iter.Seq2[Part, error]) error {
	for p, err := range parts {
		if err != nil {
			return err
		}
		if _, err := w.Write(p.Data); err != nil {
			return err
		}
	}
	return nil
}
