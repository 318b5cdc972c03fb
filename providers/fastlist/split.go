package fastlist

import (
	"context"
	"strings"
)

// split gives the rest of a segment to streams that have nothing to do.
func (l *listing) split(ctx context.Context, s *segment) {
	ahead, idle := 0.0, l.chain.buffer.streams-l.chain.buffer.running-1
	for _, other := range l.chain.segments {
		if other == s {
			break
		}
		ahead += other.expected()
		if other.waiting {
			idle--
		}
	}
	n := min(idle, l.splitter.atOnce, l.splitter.allowance(l.chain.buffer.streams))
	hasRoom := l.chain.buffer.hasRoomForPieces() || l.chain.buffer.isNear(ahead)
	if l.single || s.replaced || n < 1 || !hasRoom {
		return
	}

	span := s.measure(&l.keys)
	before := s
	for _, piece := range l.pieces(s, span, n) {
		point := piece.last
		if !strings.HasPrefix(point, l.opts.Prefix) || !l.chain.holds(before, point) {
			continue // the points are made for the order of bytes
		}
		l.splitter.pieces++
		l.chain.insert(before, piece)
		before.pagesLeft = l.keys.pagesBetween(before.last, point, span)
		piece.pagesLeft = l.keys.pagesBetween(point, piece.end, span)
		l.launch(ctx, piece)
		before = piece
	}
}

// pieces returns up to n new segments, in order, that a segment may be
// split into. Where the key model knows no further key, the next ones
// begin behind the word or the directory of the last key: many keys may
// begin like that one.
func (l *listing) pieces(s *segment, span pageSpan, n int) (pieces []*segment) {
	last := s.last
	add := func(point string, followsDirectory bool) {
		if point > last && (s.end == "" || point < s.end) {
			pieces = append(pieces, &segment{
				last: point, span: span, followsDirectory: followsDirectory,
			})
			last = point
		}
	}
	for _, point := range l.keys.splitPoints(s.last, s.end, span, l.splitter.pieceLength(), n) {
		add(point, false)
	}
	if len(pieces) == 0 {
		add(s.behindWord(), false)
	}
	if len(pieces) < n && s.end == "" && l.splitter.seeksDirectories() {
		add(s.behindDirectory(), true)
	}
	return pieces
}
