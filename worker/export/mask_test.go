package export

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// readRuns is the reading side of COCO's compressed string, for tests.
func readRuns(s string) []uint32 {
	var counts []uint32
	for at := 0; at < len(s); {
		var v int64
		for shift := 0; ; shift += 5 {
			group := int64(s[at]) - 48
			at++
			v |= group & 31 << shift
			if group&32 != 0 {
				continue
			}
			if group&16 != 0 {
				v |= -1 << (shift + 5)
			}
			break
		}
		if len(counts) > 2 {
			v += int64(counts[len(counts)-2])
		}
		counts = append(counts, uint32(v))
	}
	return counts
}

// Golden vectors, made by compiling pycocotools' common/maskApi.c.
func TestGoldenMasks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		width, height int // of the image
		box           [4]int
		rle           string
		want          string
		area          int64
	}{
		{"all off", 4, 3, [4]int{0, 0, 4, 3}, "12", "", 0},
		{"all on", 4, 3, [4]int{0, 0, 4, 3}, "0, 12", "0<", 12},
		{"first", 4, 3, [4]int{0, 0, 1, 1}, "0,1", "01;", 1},
		{"last", 4, 3, [4]int{3, 2, 1, 1}, "0, 1", ";1", 1},
		{"row of two", 4, 3, [4]int{1, 1, 2, 1}, "0, 2", "41202", 2},
		{"rectangle", 100, 100, [4]int{10, 20, 20, 50}, "0, 1000", "lo0b1b1" + strings.Repeat("0", 37) + "Tj6", 1000},
		{"beyond the image", 5, 5, [4]int{-3, -3, 20, 20}, "0, 400", "0i0", 25},
		{"rectangle in a wider box", 5, 5, [4]int{0, 1, 4, 2}, "1, 2, 2, 2, 1", "62309", 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := mask{left: c.box[0], top: c.box[1], width: c.box[2], height: c.box[3]}
			if err := m.decode(c.rle); err != nil {
				t.Fatal(err)
			}
			g := m.region(c.width, c.height)
			if g.area != c.area {
				t.Errorf("area %d, want %d", g.area, c.area)
			}
			if got := string(packRuns(g.runs)); c.area > 0 && got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestGoldenRuns(t *testing.T) {
	t.Parallel()
	for want, runs := range map[string][]uint32{
		"<": {12}, "032O1O;": {0, 3, 2, 2, 3, 1, 14}, "623O:": {6, 2, 3, 1, 13}, "62309": {6, 2, 3, 2, 12}, "0i0": {0, 25},
	} {
		if got := string(packRuns(runs)); got != want {
			t.Errorf("%v: got %q, want %q", runs, got, want)
		}
		if back := readRuns(want); !slices.Equal(back, runs) {
			t.Errorf("%q: read back %v", want, back)
		}
	}
}

func TestRefusedMasks(t *testing.T) {
	t.Parallel()
	for _, rle := range []string{"", "3", "5", "-1, 5", "1, x", "9223372036854775807, 9223372036854775807", "2, 2, 1"} {
		m := mask{width: 2, height: 2}
		if err := m.decode(rle); err == nil {
			t.Errorf("%q is taken for 4 pixels", rle)
		}
	}
}

// FuzzMask compares a mask turned into COCO's string and back with the slow,
// obvious way.
func FuzzMask(f *testing.F) {
	f.Add("0, 3, 2, 4", int8(1), int8(-1), uint8(3), uint8(3), uint8(8), uint8(8))
	f.Add("1000", int8(0), int8(0), uint8(10), uint8(100), uint8(100), uint8(100))
	f.Fuzz(func(t *testing.T, rle string, left, top int8, w, h, width, height uint8) {
		m := mask{left: int(left), top: int(top), width: int(w) + 1, height: int(h) + 1}
		if m.decode(rle) != nil {
			return
		}
		W, H := int(width)+1, int(height)+1
		g := m.region(W, H)
		var want []byte
		var on int64
		for x := range W {
			for y := range H {
				inside := x >= m.left && y >= m.top && x < m.left+m.width && y < m.top+m.height
				bit := byte('0')
				if inside && m.on(x, y) {
					bit = '1'
					on++
				}
				want = append(want, bit)
			}
		}
		if g.area != on {
			t.Fatalf("area %d, want %d", g.area, on)
		}
		if on == 0 {
			return
		}
		text := string(packRuns(g.runs))
		var got []byte
		for i, n := range readRuns(text) {
			if n == 0 && i > 0 {
				t.Fatalf("an empty run in %v (COCO-11)", g.runs)
			}
			got = append(got, strings.Repeat(fmt.Sprint(i%2), int(n))...)
		}
		if string(got) != string(want) {
			t.Fatalf("%q does not read back", text)
		}
	})
}

// A mask of stripes is small by rows and huge by columns.
func TestRaggedMask(t *testing.T) {
	t.Parallel()
	m := mask{width: 5000, height: 2000}
	if err := m.decode(strings.TrimSuffix(strings.Repeat("5000, ", 2000), ", ")); err != nil {
		t.Fatal(err)
	}
	_, bad := instanceOf(shape{kind: "mask", mask: &m}, header{width: 5000, height: 2000})
	if bad == nil || bad.code != codeTooLarge {
		t.Errorf("%v", bad)
	}
}
