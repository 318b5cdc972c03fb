package fastlist

// splitter decides how many pieces are split off at a time, and how
// long they shall be. It learns from how good the guesses were.
type splitter struct {
	pages   int     // that came so far
	pieces  int     // that were split off so far
	atOnce  int     // pieces to split off at a time
	stretch float64 // factor for the length of a piece
	misses  int     // pieces behind a directory that had no key, less those that had some
}

const (
	pagesPerPiece = 4  // pages that a piece shall have
	maxExtra      = 40 // percent of requests beyond those that one stream makes
	minAtOnce     = 2
	maxStretch    = 2
	maxMisses     = 3
)

func newSplitter() splitter { return splitter{atOnce: minAtOnce, stretch: 1} }

// allowance returns how many pieces may still be split off. Each costs
// up to one request more than one stream would make.
func (s *splitter) allowance(streams int) int {
	return streams + s.pages*maxExtra/100 - s.pieces
}

// pieceLength returns the length of a piece, in pages.
func (s *splitter) pieceLength() float64 { return pagesPerPiece * s.stretch }

// foundKeys takes note of a guess that was good: a piece has objects.
func (s *splitter) foundKeys(streams int) { s.atOnce = min(s.atOnce+2, streams) }

// seeksDirectories reports whether to split behind directories: unless
// nothing came behind most of the last ones.
func (s *splitter) seeksDirectories() bool { return s.misses <= 0 }

// ended takes note of how many objects a piece had. After an empty one
// fewer are split off at a time, after a small one the next are longer.
func (s *splitter) ended(piece *segment) {
	switch {
	case piece.followsDirectory && piece.count == 0:
		s.misses++
	case piece.followsDirectory:
		s.misses = max(s.misses-1, -maxMisses)
	}
	if piece.count == 0 {
		s.atOnce = max(minAtOnce, s.atOnce/2)
	}
	switch {
	case piece.count < pageSize:
		s.stretch = min(s.stretch*1.25, maxStretch)
	case piece.count > 2*pageSize:
		s.stretch = max(s.stretch*.9, 1)
	}
}
