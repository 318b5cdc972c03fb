package fastlist

// buffer counts the requests that run, and the objects that wait for
// the caller's loop. A request counts as a page of objects, because it
// will bring one.
type buffer struct {
	streams int // requests that may run at once
	running int // requests that run
	objects int // objects that wait
}

// pagesPerStream is how many pages may wait for each stream, on
// average.
const pagesPerStream = 8

// capacity returns how many objects may wait.
func (b *buffer) capacity() int { return pagesPerStream * b.streams * pageSize }

// expected returns how many objects wait, or will when the running
// requests are done.
func (b *buffer) expected() int { return b.objects + b.running*pageSize }

// pages returns the same in pages.
func (b *buffer) pages() float64 {
	return float64(b.running) + float64(b.objects)/pageSize
}

// fits reports whether one more page fits, if so many pages come before
// it. While the buffer is less than half full it always does.
func (b *buffer) fits(pagesBefore float64) bool {
	return b.expected() < b.capacity()/2 || pagesBefore < float64(b.capacity()/pageSize)
}

// hasRoomForPieces reports whether new streams make sense: not if the
// caller is so slow that the buffer is nearly full.
func (b *buffer) hasRoomForPieces() bool { return b.expected() <= b.capacity()/4*3 }

// isNear reports whether a page with so many before it is needed soon.
// There is always room for such a page.
func (b *buffer) isNear(ahead float64) bool {
	return ahead < float64(4*b.streams) && b.expected() < b.capacity()+4*b.streams*pageSize
}
