package textual

import (
	"bytes"
	"regexp"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// XBM is the format of X11 bitmaps: C source.
var XBM = head.Format{
	Type:       "xbm",
	Extensions: []string{".xbm"},
	FirstRead:  4 << 10,
	Matches:    isXBM,
	Read:       readXBM,
}

// xbmHead is Pillow's pattern (XbmImagePlugin.py, xbm_head), without
// the hot spot.
var xbmHead = regexp.MustCompile(
	`^[\s\v]*#define[ \t]+.*_width[ \t]+([0-9]+)[\r\n]+` +
		`#define[ \t]+.*_height[ \t]+([0-9]+)[\r\n]+(?s:.*)_bits\[\]`)

func isXBM(start []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(start[:min(len(start), 16)], blanks), []byte("#define"))
}

func readXBM(s *head.Source) (head.Head, error) {
	b, err := s.At(0, min(512, s.Size()))
	if err != nil {
		return head.Head{}, head.Cut("xbm", err)
	}
	m := xbmHead.FindSubmatch(b)
	if m == nil {
		return head.Head{}, head.Corrupt("xbm", "the xbm does not define a width and a height")
	}
	l := head.Layout{Bits: 1, Components: 1}
	return head.Upright("xbm", number(string(m[1])), number(string(m[2])), l)
}
