package worker

import (
	"slices"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// WithStubs adds a job for each built-in kind that has none, so that tests
// list only the kinds that they use. A stub must not run.
func WithStubs(jobs ...Registration) []Registration {
	for _, k := range tasks.Kinds() {
		named := func(r Registration) bool { return r.name == k.Name }
		if !slices.ContainsFunc(jobs, named) {
			jobs = append(jobs, Registration{
				name:    k.Name,
				accepts: func(tasks.Job) bool { return true },
				single:  job.AnySingle(doNothing[tasks.Job]{}),
			})
		}
	}
	return jobs
}
