package textual

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// PNM is the format of Netpbm's bitmaps, grey maps and pixel maps, and
// of PFM and PAM.
var PNM = head.Format{
	Type:       "pnm",
	Extensions: []string{".pnm", ".pbm", ".pgm", ".ppm", ".pam", ".pfm"},
	FirstRead:  4 << 10,
	Matches:    isPNM,
	Read:       readPNM,
}

const blanks = " \t\n\v\f\r"

func isPNM(start []byte) bool {
	return len(start) > 2 && start[0] == 'P' && strings.IndexByte("1234567fF", start[1]) >= 0 &&
		strings.IndexByte(blanks, start[2]) >= 0
}

// readPNM reads the width, the height, and the largest value or the
// scale, as Pillow does (PpmImagePlugin.py). It opens neither PAM nor
// coloured PFM.
func readPNM(s *head.Source) (head.Head, error) {
	t := &text{source: s, is: "pnm"}
	kind, err := t.word()
	if err != nil {
		return head.Head{}, err
	}
	if kind == "P7" {
		return t.pam()
	}
	var words [2]string
	for i := range words {
		if words[i], err = t.word(); err != nil {
			return head.Head{}, err
		}
	}
	l := head.Layout{Bits: 8, Components: 1}
	if kind == "P3" || kind == "P6" || kind == "PF" {
		l.Components = 3
	}
	h, err := head.Upright("pnm", number(words[0]), number(words[1]), l)
	if err != nil {
		return h, err
	}
	if kind == "P1" || kind == "P4" {
		h.Layout.Bits = 1
		return h, nil
	}
	last, err := t.word()
	if err != nil {
		return head.Head{}, err
	}
	return h, finishPNM(kind, last, &h)
}

// finishPNM takes what stands behind the size: the largest value, or
// the scale of a PFM.
func finishPNM(kind, last string, h *head.Head) error {
	if kind == "Pf" || kind == "PF" {
		scale, err := strconv.ParseFloat(last, 64)
		if err != nil || scale == 0 || math.IsInf(scale, 0) || math.IsNaN(scale) {
			return head.Corrupt("pnm", "the pfm has the scale %q", last)
		}
		h.Layout.Bits = 32
		if kind == "PF" {
			h.Refusal = "it is a PFM with colours"
		}
		return nil
	}
	most := number(last)
	if most < 1 || most > 65535 {
		return head.Corrupt("pnm", "the pnm has the largest value %q, not 1 to 65535", last)
	}
	if most > 255 {
		h.Layout.Bits = 16
	}
	return nil
}

// word returns the next word of the header. Comments begin with # and
// end with the line.
func (t *text) word() (string, error) {
	const longest = 10 // Pillow's
	var word []byte
	for {
		b, err := t.next()
		if err != nil {
			return "", head.Cut(t.is, err)
		}
		switch {
		case b == '#':
			for b != '\n' && b != '\r' {
				if b, err = t.next(); err != nil {
					return "", head.Cut(t.is, err)
				}
			}
		case strings.IndexByte(blanks, b) < 0:
			word = append(word, b)
		case len(word) > 0:
			return string(word), nil
		}
		if len(word) > longest {
			return "", head.Corrupt(t.is, "the %s's header has the long word %q", t.is, word)
		}
	}
}

// pam reads the header of a PAM: lines of a name and a value.
func (t *text) pam() (head.Head, error) {
	values := map[string]string{}
	for range 1000 {
		line, err := t.line(200)
		if err != nil {
			return head.Head{}, head.Cut(t.is, err)
		}
		words := strings.Fields(line)
		if len(words) > 0 && words[0] == "ENDHDR" {
			break
		}
		if len(words) == 2 {
			switch words[0] {
			case "WIDTH", "HEIGHT", "DEPTH":
				values[words[0]] = words[1]
			}
		}
	}
	l := head.Layout{Bits: 8, Components: int(max(number(values["DEPTH"]), 0))}
	h, err := head.Upright("pnm", number(values["WIDTH"]), number(values["HEIGHT"]), l)
	h.Refusal = fmt.Sprintf("it is a PAM with %d channels", l.Components)
	return h, err
}
