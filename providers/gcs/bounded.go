package gcs

import (
	"sync"

	"cloud.google.com/go/storage"
)

// bounded counts the attempts of one upload's requests. The client heeds
// WithMaxAttempts for everything but uploads, whose first request it would
// repeat until the context ends.
type bounded struct {
	attempts int

	mu     sync.Mutex
	failed int // guarded by mu
}

func (b *bounded) retry(err error) bool {
	if err == nil { // asked after a success too
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed++
	return b.failed < b.attempts && storage.ShouldRetry(err)
}

// reset is called when a part has arrived: a long upload may meet trouble
// more than once.
func (b *bounded) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = 0
}
