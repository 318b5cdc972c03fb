package coco

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/export/formats/coco/cocotest"
)

// maskOf makes a mask of run lengths over its box, row by row,
// beginning with pixels that are off. It returns nil if they do not
// fit the box.
func maskOf(left, top, width, height int, rle string) *annotation.Mask {
	m, err := annotation.NewMask(left, top, width, height)
	if err != nil {
		return nil
	}
	at, on := 0, false
	for text := range strings.SplitSeq(rle, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 0 || n > width*height-at {
			return nil
		}
		if on {
			m.Add(at, n)
		}
		at, on = at+n, !on
	}
	if at != width*height {
		return nil
	}
	return m
}

// The vectors were made with pycocotools' common/maskApi.c.
func TestRegion_EqualsPycocotools(t *testing.T) {
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
			m := maskOf(c.box[0], c.box[1], c.box[2], c.box[3], c.rle)
			if m == nil {
				t.Fatal("not a mask")
			}
			g, err := newRegion(t.Context(), m, c.width, c.height)
			if g.area != c.area || err != nil {
				t.Errorf("area %d, want %d, %v", g.area, c.area, err)
			}
			if got := pack(g.runs); c.area > 0 && got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// pack returns run lengths as COCO's string, as JSON has it.
func pack(runs iter.Seq[int]) string {
	var p packer
	var b []byte
	for run := range runs {
		b = p.append(b, run)
	}
	return string(b)
}

func unpack(text string) (runs []int) {
	for _, n := range cocotest.Unpack(strings.ReplaceAll(text, `\\`, `\`)) {
		runs = append(runs, int(n))
	}
	return runs
}

func TestPacker(t *testing.T) {
	t.Parallel()
	for want, runs := range map[string][]int{
		"<": {12}, "032O1O;": {0, 3, 2, 2, 3, 1, 14}, "623O:": {6, 2, 3, 1, 13}, "62309": {6, 2, 3, 2, 12}, "0i0": {0, 25},
	} {
		if got := pack(slices.Values(runs)); got != want {
			t.Errorf("%v: got %q, want %q", runs, got, want)
		}
		if back := unpack(want); !slices.Equal(back, runs) {
			t.Errorf("%q: read back %v", want, back)
		}
	}
}

// draw returns the pixels of an image with a mask, column by column,
// and the area and box of those that are on.
func draw(m *annotation.Mask, width, height int) (box region, want []byte) {
	pixels := make([]byte, m.Width*m.Height)
	for _, s := range m.Spans {
		for i := s.Start; i < s.End; i++ {
			pixels[i] = '1'
		}
	}
	box = region{left: width, top: height}
	for x := range width {
		for y := range height {
			inside := x >= m.Left && y >= m.Top && x < m.Left+m.Width && y < m.Top+m.Height
			bit := byte('0')
			if inside && pixels[(y-m.Top)*m.Width+x-m.Left] == '1' {
				bit = '1'
				box.area++
				box.left, box.right = min(box.left, x), max(box.right, x+1)
				box.top, box.bottom = min(box.top, y), max(box.bottom, y+1)
			}
			want = append(want, bit)
		}
	}
	return box, want
}

// FuzzMask compares a mask that is written as COCO's string and read
// back with its pixels.
func FuzzMask(f *testing.F) {
	f.Add("0, 3, 2, 4", int8(1), int8(-1), uint8(3), uint8(3), uint8(8), uint8(8))
	f.Add("1000", int8(0), int8(0), uint8(10), uint8(100), uint8(100), uint8(100))
	f.Fuzz(func(t *testing.T, rle string, left, top int8, w, h, width, height uint8) {
		m := maskOf(int(left), int(top), int(w)+1, int(h)+1, rle)
		if m == nil {
			return
		}
		W, H := int(width)+1, int(height)+1
		g, err := newRegion(t.Context(), m, W, H)
		if err != nil {
			t.Fatal(err)
		}
		box, want := draw(m, W, H)
		if g.area != box.area {
			t.Fatalf("area %d, want %d", g.area, box.area)
		}
		if box.area == 0 {
			return
		}
		if g.left != box.left || g.right != box.right || g.top != box.top || g.bottom != box.bottom {
			t.Fatalf("got %+v, want %+v", g, box)
		}
		text := pack(g.runs)
		var got []byte
		for i, n := range unpack(text) {
			if n == 0 && i > 0 {
				t.Fatalf("an empty run in %q (COCO-11)", text)
			}
			got = append(got, strings.Repeat(fmt.Sprint(i%2), n)...)
		}
		if string(got) != string(want) {
			t.Fatalf("%q does not read back", text)
		}
	})
}

// A mask of horizontal stripes has few runs row by row and a huge
// number column by column.
func TestNewInstance_TooManyRuns(t *testing.T) {
	t.Parallel()
	m := maskOf(0, 0, 5000, 2000, strings.TrimSuffix(strings.Repeat("5000, ", 2000), ", "))
	_, problem, err := newInstance(t.Context(), annotation.Shape{Kind: annotation.KindMask, Mask: m}, 5000, 2000)
	if problem == nil || problem.Code != annotation.CodeTooLarge || err != nil {
		t.Errorf("%v, %v", problem, err)
	}
}
