package annotation

import (
	"slices"
	"testing"
)

func TestClip(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ring []Point
		area int64 // square cents
		n    int
	}{
		"inside":        {[]Point{{1, 1}, {3, 1}, {1, 3}}, 20000, 3},
		"around it all": {[]Point{{-5, -5}, {20, -5}, {20, 20}, {-5, 20}}, 1000000, 4},
		"one corner":    {[]Point{{-2, 2}, {2, 2}, {2, -2}, {-2, -2}}, 40000, 4},
		"a comb":        {[]Point{{1, 5}, {12, 5}, {12, 6}, {5, 6}, {5, 7}, {12, 7}, {12, 8}, {1, 8}}, 9*10000 + 4*10000 + 9*10000, 8},
		"outside":       {[]Point{{11, 11}, {12, 11}, {12, 12}}, 0, 0},
		"touching":      {[]Point{{10, 0}, {12, 0}, {10, 5}}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Corners(Clip(c.ring, 10, 10), 10, 10)
			if c.area > 0 && len(got) != c.n {
				t.Errorf("%v", got)
			}
			if a := Area(got); a != c.area {
				t.Errorf("area %d, want %d: %v", a, c.area, got)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	low, high := Bounds([]Corner{{5, 7}, {3, 9}, {4, 2}})
	if low != (Corner{3, 2}) || high != (Corner{5, 9}) {
		t.Errorf("%v, %v", low, high)
	}
}

func TestNewMask_Refuses(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{0, 1}, {1, 0}, {-1, -1}, {99_999, 99_999}, {1<<63 - 1, 2}} {
		if _, err := NewMask(0, 0, size[0], size[1]); err == nil {
			t.Errorf("%v is accepted", size)
		}
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	m, err := NewMask(-2, 3, 7, 20)
	if err != nil {
		t.Fatal(err)
	}
	for _, add := range [][2]int{{3, 0}, {4, 2}, {6, 10}, {16, 0}, {17, 1}, {139, 1}} {
		m.Add(add[0], add[1])
	}
	if want := []Span{{4, 16}, {17, 18}, {139, 140}}; !slices.Equal(m.Spans, want) {
		t.Errorf("%v, want %v", m.Spans, want)
	}
}

func TestSchema(t *testing.T) {
	t.Parallel()
	var s Schema
	if _, found := s.Find("a"); found {
		t.Error("an empty schema has a label")
	}
	if !s.Add(Label{Name: "a"}) || !s.Add(Label{Name: "b"}) || s.Add(Label{Name: "a"}) {
		t.Error("a label was added twice, or not at all")
	}
	if place, found := s.Find("b"); !found || place != 1 || len(s.Labels) != 2 {
		t.Errorf("%d, %v, %v", place, found, s.Labels)
	}
}
