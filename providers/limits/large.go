package limits

import (
	"errors"
	"sync"

	"github.com/stevedore-jobs/stevedore/providers"
)

const (
	// maxSmall is how long any answer may be, in bytes. A longer one
	// needs a place among the large ones. An SDK takes about four times
	// as much memory as an answer has bytes.
	maxSmall = 2 << 20
	// maxLarge bounds the large answers that a process reads at once.
	maxLarge = 3
)

// places holds a token for each large answer that is being read.
type places chan struct{}

// place is the right of one answer to be large. The methods may be
// called at the same time.
type place struct {
	of places

	mu          sync.Mutex
	taken, over bool // guarded by mu
}

// take reports whether the answer has a place, or gets one. It does not
// wait for one: a slow server could keep all others waiting.
func (p *place) take() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken || p.over {
		return p.taken
	}
	select {
	case p.of <- struct{}{}:
		p.taken = true
	default:
	}
	return p.taken
}

// leave gives the place back, if the answer has one. The answer gets no
// other.
func (p *place) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken {
		<-p.of
	}
	p.taken, p.over = false, true
}

// IsTooMuch reports whether a request failed because its answer was too
// large, or too large for now. If it asked for a page, a shorter one may
// succeed.
func IsTooMuch(err error) bool {
	var e *providers.Error
	return errors.As(err, &e) && (e.Code == CodeTooMuch || e.Code == CodeBusy)
}
