package isobmff

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/headtest"
)

// sourceOf returns a source of an object that begins with data.
func sourceOf(data string, size int64) *head.Source {
	return head.NewSource(func(off, n int64) ([]byte, error) {
		piece := make([]byte, n)
		copy(piece, data[min(off, int64(len(data))):])
		return piece, nil
	}, size, 64)
}

// list returns the boxes of an object, up to an error.
func list(data string, size int64) (boxes []Box, err error) {
	for b, err := range Boxes(sourceOf(data, size), "avif", 0, size) {
		if err != nil {
			return boxes, err
		}
		boxes = append(boxes, b)
	}
	return boxes, nil
}

// The rules of the length are those of ISO/IEC 14496-12, 4.2.
func TestBoxes(t *testing.T) {
	t.Parallel()
	ftyp, long := headtest.Box("ftyp", "avif"), headtest.Uint32(1)+"meta"+headtest.Uint32(0, 20)+"abcd"
	for name, c := range map[string]struct {
		data  string
		boxes []Box
		err   string
	}{
		"one beside the other":           {ftyp + headtest.Box("meta"), []Box{{"ftyp", 8, 4}, {"meta", 20, 0}}, ""},
		"a length of 8 bytes":            {long + ftyp, []Box{{"meta", 16, 4}, {"ftyp", 28, 4}}, ""},
		"all the rest":                   {headtest.Uint32(0) + "mdat12345", []Box{{"mdat", 8, 5}}, ""},
		"more than the object has":       {headtest.Uint32(100) + "mdat", []Box{{"mdat", 8, 92}}, ""},
		"the longest possible":           {headtest.Uint32(1) + "mdat" + headtest.Uint32(math.MaxInt32, math.MaxUint32), []Box{{"mdat", 16, math.MaxInt64 - 16}}, ""},
		"longer than possible":           {ftyp + headtest.Uint32(1) + "mdat" + headtest.Uint32(math.MaxInt32, math.MaxUint32), []Box{{"ftyp", 8, 4}}, "mdat"},
		"shorter than its header":        {headtest.Uint32(7) + "mdat", nil, "mdat"},
		"shorter than its longer header": {headtest.Uint32(1) + "mdat" + headtest.Uint32(0, 15), nil, "mdat"},
		"cut within its header":          {ftyp + "\x00\x00", []Box{{"ftyp", 8, 4}}, "ends"},
		"cut within its longer header":   {headtest.Uint32(1) + "mdat\x00", nil, "ends"},
		"too many":                       {strings.Repeat(headtest.Box("free"), maxBoxes+1), nil, "more than"},
	} {
		boxes, err := list(c.data, int64(len(c.data)))
		switch {
		case (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err):
			t.Errorf("%s: %v", name, err)
		case c.err == "more than" && len(boxes) == maxBoxes:
		case len(boxes) != len(c.boxes):
			t.Errorf("%s: %+v", name, boxes)
		default:
			for i := range boxes {
				if boxes[i] != c.boxes[i] {
					t.Errorf("%s: %+v, want %+v", name, boxes, c.boxes)
				}
			}
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	data := headtest.Box("ftyp") + headtest.Box("meta", "x")
	if b, err := Find(sourceOf(data, 17), "avif", 0, 17, "meta"); err != nil || b != (Box{"meta", 16, 1}) {
		t.Error(b, err)
	}
	if b, err := Find(sourceOf(data, 17), "avif", 0, 17, "mdat"); !errors.Is(err, head.ErrShort) {
		t.Error(b, err)
	}
}

// Boxes come in their order, none begins within another's header, and
// errors have a code or are head.ErrShort.
func FuzzBoxes(f *testing.F) {
	f.Add([]byte(headtest.Box("ftyp", "avif")+headtest.Box("meta", headtest.Box("pitm"))), uint16(5))
	f.Add([]byte(headtest.Uint32(1)+"mdat"+headtest.Uint32(math.MaxInt32, math.MaxUint32)), uint16(0))
	f.Add([]byte(headtest.Uint32(0)+"mdat"), uint16(100))
	f.Fuzz(func(t *testing.T, data []byte, more uint16) {
		size := int64(len(data)) + int64(more)
		boxes, err := list(string(data), size)
		var broken *head.Error
		if err != nil && !errors.Is(err, head.ErrShort) && !errors.As(err, &broken) {
			t.Fatal(err)
		}
		end := int64(0)
		for _, b := range boxes {
			if header := b.Off - end; header != 8 && header != 16 || b.Size < 0 || b.End() < b.Off || len(b.Type) != 4 {
				t.Fatalf("after %d: %+v", end, b)
			}
			end = b.End()
		}
	})
}
