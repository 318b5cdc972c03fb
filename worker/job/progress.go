package job

import (
	"sync"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Progress counts what one run of a single job has done, and holds its lines
// of the error list. It may be used by many goroutines at once; the zero
// value is ready.
type Progress struct {
	mu     sync.Mutex
	counts tasks.Progress
	errors []tasks.ObjectError
}

// Expect adds to the total of objects there are to deal with.
func (p *Progress) Expect(objects int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.ObjectsTotal += objects
}

// Done counts an object that was dealt with, and the bytes that it cost.
func (p *Progress) Done(bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Objects++
	p.counts.Bytes += bytes
}

// Reject counts an object that could not be dealt with and puts it on the
// job's error list. The job goes on.
func (p *Progress) Reject(e tasks.ObjectError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Objects++
	p.counts.Failed++
	p.errors = append(p.errors, e)
}

// Counts is how far it is.
func (p *Progress) Counts() tasks.Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// Errors is a copy of the lines rejected so far.
func (p *Progress) Errors() []tasks.ObjectError {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]tasks.ObjectError(nil), p.errors...)
}
