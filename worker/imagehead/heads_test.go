package imagehead

import (
	_ "embed"
	"encoding/json"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/headtest"
)

// Heads that Pillow 12.3.0 wrote or that testdata/pillow.py made, with
// the size that Pillow shows. Those of HEIC and JPEG XL are of
// pillow-heif 1.8.1 and pillow-jxl-plugin 1.3.8.
//
//go:embed testdata/heads.json
var headsJSON []byte

type headCase struct {
	Name          string
	Data          []byte
	Width, Height int
	Refused       bool // by Pillow
}

func headCases(t testing.TB) (cases []headCase) {
	t.Helper()
	if err := json.Unmarshal(headsJSON, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 60 {
		t.Fatalf("only %d cases", len(cases))
	}
	return cases
}

func TestRead_HeadsOfPillow(t *testing.T) {
	t.Parallel()
	for _, c := range headCases(t) {
		h, err := parse(c.Data)
		width, height := h.Display()
		switch refused := err != nil || h.Refusal != ""; {
		case refused != c.Refused:
			t.Errorf("%s: %+v, %v", c.Name, h, err)
		case c.Width > 0 && (width != c.Width || height != c.Height):
			t.Errorf("%s: %d x %d, want %d x %d", c.Name, width, height, c.Width, c.Height)
		}
	}
}

// However large the sizes in a header are, Read asks for a bounded part
// of the object and returns a possible size.
func TestRead_LargestClaims(t *testing.T) {
	t.Parallel()
	zeros := make([]byte, 1<<20)
	cases := headCases(t)
	cases = append(cases, headCase{Name: "gif", Data: []byte("GIF89a\x25\x00\x15\x00\xf7\x00\x00")}, headCase{Name: "png", Data: pngOf(37, 21)})
	for _, c := range cases {
		for at := 0; at+4 <= min(len(c.Data), 400); at += 1 + at/32 {
			data := append([]byte(nil), c.Data...)
			copy(data[at:], "\xff\xff\xff\xff")
			reads, read := 0, int64(0)
			h, err := Read(func(off, n int64) ([]byte, error) {
				reads, read = reads+1, read+n
				if off+n <= int64(len(data)) {
					return data[off : off+n], nil
				}
				if n > int64(len(zeros)) {
					t.Fatalf("%s, byte %d: it asks for %d bytes at once", c.Name, at, n)
				}
				piece := append([]byte(nil), zeros[:n]...)
				if off < int64(len(data)) {
					copy(piece, data[off:])
				}
				return piece, nil
			}, 1<<40, 4<<10)
			if reads > 512 || read > 33<<20 {
				t.Errorf("%s, byte %d: %d reads of %d bytes", c.Name, at, reads, read)
			}
			if err == nil && (h.Width < 1 || h.Height < 1) {
				t.Errorf("%s, byte %d: %+v", c.Name, at, h)
			}
		}
	}
}

// The properties of an item apply in their order.
func TestRead_HEIFProperties(t *testing.T) {
	t.Parallel()
	box, numbers := headtest.Box, headtest.Uint32
	left, half := box("irot", "\x01"), box("irot", "\x02")
	topDown, mirror := box("imir", "\x00"), box("imir", "\x01")
	cut := box("clap", numbers(30, 1, 20, 1, 0, 1, 0, 1))
	for name, c := range map[string]struct {
		brand         string
		properties    []string
		width, height int
		orientation   int
	}{
		"plain":                    {"heic", nil, 40, 25, 1},
		"a quarter left":           {"heic", []string{left}, 40, 25, 8},
		"half":                     {"avif", []string{half}, 40, 25, 3},
		"a quarter right":          {"avif", []string{half, left}, 40, 25, 6},
		"mirrored":                 {"avif", []string{mirror}, 40, 25, 2},
		"upside down":              {"avif", []string{topDown}, 40, 25, 4},
		"left, then mirrored":      {"avif", []string{left, mirror}, 40, 25, 7},
		"mirrored, then left":      {"avif", []string{mirror, left}, 40, 25, 5},
		"mirrored twice":           {"avif", []string{mirror, mirror}, 40, 25, 1},
		"a HEIC that is cut":       {"heic", []string{cut, left}, 30, 20, 8},
		"libavif does not cut":     {"avif", []string{cut, left}, 40, 25, 8},
		"an unknown property":      {"avif", []string{box("abcd", "xy"), left}, 40, 25, 8},
		"many channels of 10 bits": {"avif", []string{box("pixi", numbers(0), "\x03\x0a\x0a\x0a")}, 40, 25, 1},
	} {
		h, err := parse([]byte(headtest.HEIF(c.brand, 40, 25, c.properties...)))
		if err != nil || h.Width != c.width || h.Height != c.height || h.Orientation != c.orientation || h.Type != head.Type(c.brand) {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

// The size of a grid is that of its own item, not that of a tile, also
// with long numbers of items and properties.
func TestRead_HEIFGrid(t *testing.T) {
	t.Parallel()
	box, numbers := headtest.Box, headtest.Uint32
	list := box("ipco", box("ispe", numbers(0, 512, 512)), box("ispe", numbers(0, 4032, 3024)), box("irot", "\x03"))
	short := box("ipma", numbers(0, 2), "\x00\x01\x01\x81", "\x00\x02\x02\x02\x83")
	long := box("ipma", numbers(1<<24|1, 2), numbers(1), "\x01\x80\x01", numbers(2), "\x02\x00\x02\x80\x03")
	for name, c := range map[string]struct{ primary, properties string }{
		"short numbers": {box("pitm", numbers(0), "\x00\x02"), short},
		"long numbers":  {box("pitm", numbers(1<<24), numbers(2)), long},
	} {
		data := box("ftyp", "heic", numbers(0), "mif1heic") + box("meta", numbers(0), box("hdlr", numbers(0, 0)), c.primary, box("iprp", list, c.properties))
		h, err := parse([]byte(data))
		if w, ht := h.Display(); err != nil || w != 3024 || ht != 4032 || h.Orientation != 6 {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}
