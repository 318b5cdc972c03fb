// Package jpegxl reads the heads of JPEG XL images: bare codestreams
// and files of boxes (ISO/IEC 18181-1 annex D, 18181-2).
package jpegxl

import (
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/isobmff"
)

// Type is the type of JPEG XL images.
const Type head.Type = "jpeg-xl"

// Format is the line of JPEG XL in the table of formats.
var Format = head.Format{
	Type:       Type,
	Extensions: []string{".jxl"},
	FirstRead:  4 << 10,
	Matches:    matches,
	Read:       read,
}

const (
	codestream = "\xff\x0a"
	signature  = "\x00\x00\x00\x0cJXL \r\n\x87\n"
	// maxHeader is enough for the size and the orientation.
	maxHeader = 64
)

func matches(start []byte) bool {
	text := string(start)
	return strings.HasPrefix(text, codestream) || strings.HasPrefix(text, signature)
}

// read finds the codestream, which a file may have in several boxes of
// the type jxlp, and reads its first bits.
func read(s *head.Source) (head.Head, error) {
	b, err := head.Front(s, Type, 2)
	if err != nil {
		return head.Head{}, err
	}
	if string(b) == codestream {
		return readCodestream(s, 0, s.Size())
	}
	for box, err := range isobmff.Boxes(s, Type, 0, s.Size()) {
		if err != nil {
			return head.Head{}, head.Cut(Type, err)
		}
		switch box.Type {
		case "jxlc":
			return readCodestream(s, box.Off, box.End())
		case "jxlp": // its number comes first
			return readCodestream(s, box.Off+4, box.End())
		}
	}
	return head.Head{}, head.Corrupt(Type, "the JPEG XL has no codestream")
}

func readCodestream(s *head.Source, off, end int64) (head.Head, error) {
	data, err := s.At(off, min(maxHeader, end-off, s.Size()-off))
	if err != nil {
		return head.Head{}, head.Cut(Type, err)
	}
	if !strings.HasPrefix(string(data), codestream) {
		return head.Head{}, head.Corrupt(Type, "the JPEG XL's codestream has no signature")
	}
	b := &bits{data: data[len(codestream):]}
	width, height := b.size()
	orientation := b.orientation()
	if b.short {
		return head.Head{}, head.Cut(Type, head.ErrShort)
	}
	h, err := head.Upright(Type, width, height, head.Layout{})
	if err == nil {
		h.Orientation = orientation
	}
	return h, err
}
