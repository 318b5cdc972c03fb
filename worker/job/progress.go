package job

import (
	"sync"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Progress counts what one run of a single job has done, and collects
// its lines of the error list. It is safe for concurrent use. The zero
// value is ready.
type Progress struct {
	mu     sync.Mutex
	counts tasks.Progress
	errors []tasks.ObjectError
}

// Expect adds to the total of objects that the job will handle.
func (p *Progress) Expect(objects int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.ObjectsTotal += objects
}

// Done counts an object that succeeded, and the bytes read or written
// for it.
func (p *Progress) Done(bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Objects++
	p.counts.Bytes += bytes
}

// Reject counts an object that is left out, or has a warning, and adds
// its line to the job's error list. The job continues.
func (p *Progress) Reject(e tasks.ObjectError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Objects++
	p.counts.Failed++
	if e.Warning {
		p.counts.Warnings++
	}
	p.errors = append(p.errors, e)
}

// Counts returns the counts so far.
func (p *Progress) Counts() tasks.Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// Errors returns a copy of the lines rejected so far.
func (p *Progress) Errors() []tasks.ObjectError {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]tasks.ObjectError(nil), p.errors...)
}
