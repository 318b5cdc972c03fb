package textual

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// EPS is the format of Encapsulated PostScript, also with the binary
// header of DOS (Adobe, EPS File Format 3.0).
var EPS = head.Format{
	Type:       "eps",
	Extensions: []string{".eps", ".ps"},
	FirstRead:  4 << 10,
	Matches:    isEPS,
	Read:       readEPS,
}

const dosEPS = "\xc5\xd0\xd3\xc6"

func isEPS(start []byte) bool {
	return bytes.HasPrefix(start, []byte("%!PS")) || bytes.HasPrefix(start, []byte(dosEPS))
}

const (
	maxEPS  = 64 << 10 // bytes that are searched for %ImageData
	epsTail = 4 << 10  // bytes of the end that are searched for a bounding box
)

// readEPS takes the size of %ImageData, else that of the bounding box
// in points, as Pillow does (EpsImagePlugin.py). It does not search all
// of the file, as Pillow does.
func readEPS(s *head.Source) (head.Head, error) {
	b, err := head.Front(s, "eps", 8)
	if err != nil {
		return head.Head{}, err
	}
	t := &text{source: s, is: "eps"}
	if string(b[:4]) == dosEPS {
		t.pos = int64(binary.LittleEndian.Uint32(b[4:]))
	}
	t.end = t.pos + maxEPS
	var box string
	for {
		line, err := t.line(256)
		var ended *head.Error
		if errors.Is(err, head.ErrShort) || errors.As(err, &ended) {
			break // what was found counts
		}
		if err != nil {
			return head.Head{}, err
		}
		for part := range strings.FieldsFuncSeq(line, isNewline) {
			if data, ok := strings.CutPrefix(part, "%ImageData:"); ok {
				if words := strings.Fields(data); len(words) > 1 {
					return head.Upright("eps", number(words[0]), number(words[1]), head.Layout{})
				}
			}
			if value, ok := strings.CutPrefix(part, boundingBox); ok && box == "" {
				box = strings.TrimSpace(value)
			}
		}
	}
	if box == "(atend)" {
		if box, err = lastBox(s); err != nil {
			return head.Head{}, err
		}
	}
	return boxHead(box)
}

const boundingBox = "%%BoundingBox:"

func isNewline(r rune) bool { return r == '\r' || r == '\n' }

// lastBox returns the last bounding box at the end of the object.
func lastBox(s *head.Source) (string, error) {
	n := min(epsTail, s.Size())
	b, err := s.At(s.Size()-n, n)
	if err != nil {
		return "", head.Cut("eps", err)
	}
	at := bytes.LastIndex(b, []byte(boundingBox))
	if at < 0 {
		return "", nil
	}
	rest := string(b[at+len(boundingBox):])
	if end := strings.IndexFunc(rest, isNewline); end >= 0 {
		rest = rest[:end]
	}
	return rest, nil
}

func boxHead(box string) (head.Head, error) {
	var sides [4]int64
	words := strings.Fields(box)
	for i := range min(len(words), len(sides)) {
		f, err := strconv.ParseFloat(words[i], 64)
		if err != nil || math.Abs(f) > math.MaxInt32 {
			return head.Head{}, head.Corrupt("eps", "the eps has the bounding box %q", box)
		}
		sides[i] = int64(f)
	}
	return head.Upright("eps", sides[2]-sides[0], sides[3]-sides[1], head.Layout{})
}
