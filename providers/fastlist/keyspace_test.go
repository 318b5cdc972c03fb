package fastlist

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// TestKeyModel_Example checks the example of the package comment.
func TestKeyModel_Example(t *testing.T) {
	t.Parallel()
	var m keyModel
	var pageEnds []string
	for i := 1; i <= 3000; i++ {
		key := fmt.Sprintf("img-%06d", i)
		if i%sampleEvery == 1 {
			m.learn(key)
		}
		if i%pageSize == 0 {
			pageEnds = append(pageEnds, key)
		}
	}
	if want := []string{"img-001000", "img-002000", "img-003000"}; !slices.Equal(pageEnds, want) {
		t.Fatalf("the pages end with %q", pageEnds)
	}
	for i, want := range []float64{1, 2, 3} {
		if got := m.value(pageEnds[i], 6); math.Abs(got-want) > 1e-9 {
			t.Errorf("the value of %s is %v, want %v", pageEnds[i], got, want)
		}
	}
	span := m.span(pageEnds)
	if span.position != 6 || math.Abs(span.size-1) > 1e-9 {
		t.Errorf("a page spans %+v, want 1 at position 6", span)
	}
	s := newSplitter()
	got := m.splitPoints("img-003000", "", span, s.pieceLength(), s.atOnce)
	if want := []string{"img-0070", "img-0110"}; !slices.Equal(got, want) {
		t.Errorf("the points are %q, want %q", got, want)
	}
	if pages := m.pagesBetween("img-0070", "img-0110", span); math.Abs(pages-4) > 1e-9 {
		t.Errorf("a piece has %v pages, want 4", pages)
	}
}
