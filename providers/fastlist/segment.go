package fastlist

import (
	"context"

	"github.com/stevedore-jobs/stevedore/providers"
)

// segment is a range of keys that one stream lists. Only its own stream
// changes last, and may read it without the lock of the listing. That
// lock guards everything else.
type segment struct {
	end       string // a guess where it ends; the next segment starts there; may be empty
	last      string // everything up to here has been listed; at first where it starts
	first     string // the first key behind its start; valid if begun
	begun     bool
	pages     [][]providers.Object
	pageEnds  []string // last keys of recent pages
	span      pageSpan // where it was split off; used until it has pages of its own
	pagesLeft float64  // an estimate
	count     int      // objects that came

	waiting  bool // for permission to request a page
	atEnd    bool // waiting for the next segment to begin
	single   bool // it lists everything to the end, after another stream failed
	replaced bool // another segment lists this range
	done     bool
	err      error
	cancel   context.CancelFunc
}

const (
	maxPageEnds = 5
	minPageEnds = 4 // to measure its own span
)

// addPageEnd remembers where a page ended.
func (s *segment) addPageEnd(key string) {
	if s.pageEnds = append(s.pageEnds, key); len(s.pageEnds) > maxPageEnds {
		s.pageEnds = s.pageEnds[1:]
	}
}

// measure returns how far a page reaches in this segment, or did in the
// one that it was split off from.
func (s *segment) measure(keys *keyModel) pageSpan {
	if len(s.pageEnds) < minPageEnds && s.span.size > 0 {
		return s.span
	}
	return keys.span(s.pageEnds)
}
