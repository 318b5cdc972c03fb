package textual

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// XPM is the format of X11 pixel maps: C source.
var XPM = head.Format{
	Type:       "xpm",
	Extensions: []string{".xpm"},
	FirstRead:  4 << 10,
	Matches:    head.Signature(0, "/* XPM */"),
	Read:       readXPM,
}

// xpmHead is Pillow's pattern (XpmImagePlugin.py, xpm_head): width,
// height, number of colours, characters of a pixel.
var xpmHead = regexp.MustCompile(`^"([0-9]+) ([0-9]+) ([0-9]+) ([0-9]+)`)

// maxXPMLine is how much of a line is looked at.
const maxXPMLine = 1000

func readXPM(s *head.Source) (head.Head, error) {
	t := &text{source: s, is: "xpm"}
	for {
		line, err := t.line(maxXPMLine)
		if err != nil {
			return head.Head{}, head.Cut("xpm", err)
		}
		m := xpmHead.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		l := head.Layout{Bits: 8, Components: 3, Palette: true}
		h, err := head.Upright("xpm", number(m[1]), number(m[2]), l)
		if err == nil {
			h.Refusal, err = t.colours(number(m[3]), number(m[4]))
		}
		return h, err
	}
}

// colours reads the lines of the colours. It returns why Pillow
// refuses them: it draws only colours in hexadecimal digits, and no
// transparent ones.
func (t *text) colours(count, characters int64) (refused string, err error) {
	if characters < 0 || characters > 100 {
		return fmt.Sprintf("the XPM has pixels of %d characters", characters), nil
	}
	for range count {
		line, err := t.line(maxXPMLine)
		if err != nil {
			return "", head.Cut(t.is, err)
		}
		line = strings.TrimRight(line, blanks)
		from, to := int(characters)+1, len(line)-2
		if to < from {
			return "a colour of the XPM has no value", nil
		}
		colour := xpmColour(strings.Fields(line[from:to]))
		digits, hexadecimal := strings.CutPrefix(colour, "#")
		if !hexadecimal || !isHexadecimal(digits) {
			return fmt.Sprintf("the XPM has the colour %q, and not one in hexadecimal digits",
				colour), nil
		}
	}
	return "", nil
}

func isHexadecimal(digits string) bool {
	_, err := strconv.ParseUint(digits, 16, 64)
	return err == nil
}

// xpmColour returns the value of the key c, or an empty string.
func xpmColour(words []string) string {
	for i := 0; i+1 < len(words); i += 2 {
		if words[i] == "c" {
			return words[i+1]
		}
	}
	return ""
}
