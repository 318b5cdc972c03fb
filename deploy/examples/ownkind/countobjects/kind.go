// Package countobjects defines a kind of job that Stevedore does not
// have: it counts the objects of a bucket, and their bytes, by file
// name extension.
//
// kind.go is the contract, which producers and workers share: the
// payload, the result, and how the jobs are run. job.go is the code
// that workers run.
package countobjects

import (
	"fmt"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/fields"
)

// Payload is what a producer asks for. It embeds tasks.Terms, as every
// payload does. Stevedore finds the storages of a payload by their
// type.
type Payload struct {
	tasks.Terms

	Source tasks.Storage `json:"source"`
	// Exclude lists key prefixes to leave out.
	Exclude []string `json:"exclude,omitempty"`
}

// Kind implements tasks.Job.
func (Payload) Kind() string { return "count-objects" }

// Validate implements tasks.Job. It reports all faults at once.
func (p Payload) Validate() error {
	var errs fields.Errors
	p.Source.Check(errs.In("source"))
	errs.Prefixes("exclude", p.Exclude)
	p.CheckTerms(&errs)
	return errs.Err(p.Kind())
}

// Result is the answer: what there is of each extension.
type Result struct {
	Objects    int64            `json:"objects"`
	Bytes      int64            `json:"bytes"`
	Extensions map[string]Count `json:"extensions"` // the empty extension is for names without one
}

// Count counts the objects of one extension.
type Count struct {
	Objects int64 `json:"objects"`
	Bytes   int64 `json:"bytes"`
}

// Kind implements tasks.Result.
func (Result) Kind() string { return Payload{}.Kind() }

// Summary implements tasks.Result.
func (r Result) Summary() string {
	return fmt.Sprintf("%d objects of %d extensions, %d bytes",
		r.Objects, len(r.Extensions), r.Bytes)
}

// Kind returns the kind. Producers need it to enqueue such jobs, and
// workers to run them.
func Kind() tasks.Kind {
	return tasks.NewKind[Payload, Result](tasks.Policy{
		Queue:    tasks.QueueJobs, // a sharded job: this task only coordinates
		Timeout:  time.Hour,
		Attempts: 5,
		Keep:     24 * time.Hour,
	})
}
