package fastlist

import (
	"context"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
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

	followsDirectory bool // it was split off behind a directory, not at a guess

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

// expected returns how many pages of the segment wait for the loop or
// will come, at least one if it has not ended.
func (s *segment) expected() float64 {
	if s.done {
		return float64(len(s.pages))
	}
	return float64(len(s.pages)) + max(1, s.pagesLeft)
}

// measure returns how far a page reaches in this segment, or in the one
// before its split. Few pages of its own, which may all lie in a small
// directory, count only if they reach further.
func (s *segment) measure(keys *keyModel) pageSpan {
	own := keys.span(s.borders())
	if len(s.pageEnds) >= minPageEnds || keys.share(own) > keys.share(s.span) {
		return own
	}
	return s.span
}

// borders returns the last keys of the pages that came lately, behind
// the first key of the segment if that is where they begin.
func (s *segment) borders() []string {
	if s.begun && len(s.pageEnds) < maxPageEnds {
		return append([]string{s.first}, s.pageEnds...)
	}
	return s.pageEnds
}

// common returns what the keys of the last pages begin with.
func (s *segment) common() string {
	common := s.last
	for _, key := range s.borders() {
		common = common[:keyorder.FirstDifference(common, key)]
	}
	return common
}

// behindWord returns the key behind all those that begin with the same
// words as the last pages. It returns "" if these pages differ within a
// word: then the key model knows more.
func (s *segment) behindWord() string {
	if c := s.common(); c != "" && isSeparator(c[len(c)-1]) {
		return behind(c)
	}
	return ""
}

// behindDirectory returns the key behind the directory of the last key.
// It returns "" if the last pages had keys of several directories: then
// the directory is small.
func (s *segment) behindDirectory() string {
	dir := s.last[:strings.LastIndexByte(s.last, '/')+1]
	if dir != "" && strings.HasPrefix(s.common(), dir) {
		return behind(dir)
	}
	return ""
}

// behind returns the least text behind all those that begin with a text.
func behind(text string) string {
	return text[:len(text)-1] + string(text[len(text)-1]+1)
}
