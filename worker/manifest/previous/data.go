package previous

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
)

// factsLine begins the line in a job's data that has the facts. No line
// of an entry begins so.
const factsLine = `{"previous":`

// Line returns the facts as a line of the job's data.
func (f Facts) Line() []byte {
	text, _ := json.Marshal(f) // it cannot fail for texts and numbers
	return append(append([]byte(factsLine), text...), "}\n"...)
}

// Data is a job's data without the line that has the facts.
type Data struct {
	// Facts are what that line says; nil without it. They are known
	// when Pieces has been ranged over once.
	Facts *Facts

	pieces iter.Seq2[[]byte, error]
}

// NewData makes the data from pieces that end with a line.
func NewData(pieces iter.Seq2[[]byte, error]) *Data { return &Data{pieces: pieces} }

// Pieces yields the data. It may be ranged over again.
func (d *Data) Pieces(yield func([]byte, error) bool) {
	for piece, err := range d.pieces {
		if err == nil {
			piece, err = d.take(piece)
		}
		if err == nil && len(piece) == 0 {
			continue // it had the facts alone
		}
		if !yield(piece, err) || err != nil {
			return
		}
	}
}

// take takes the facts out of a piece.
func (d *Data) take(piece []byte) ([]byte, error) {
	at := lineStart(piece)
	if at < 0 {
		return piece, nil
	}
	line, rest, _ := bytes.Cut(piece[at:], []byte("\n"))
	var found struct {
		Previous *Facts `json:"previous"`
	}
	if err := json.Unmarshal(line, &found); err != nil {
		return nil, fmt.Errorf("the facts of the earlier manifest: %w", err)
	}
	d.Facts = found.Previous
	return append(piece[:at:at], rest...), nil
}

// lineStart returns where the line with the facts begins, or -1.
func lineStart(piece []byte) int {
	if bytes.HasPrefix(piece, []byte(factsLine)) {
		return 0
	}
	at := bytes.Index(piece, []byte("\n"+factsLine))
	if at < 0 {
		return -1
	}
	return at + 1
}
