package coordinator

import (
	"context"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

// carefulAfter is how many workers must have died while they ran a job's
// own code before it is run carefully. One death says little: machines
// go away, and a process that dies has many jobs.
const carefulAfter = 2

// call calls code of the job that belongs to a state of it: the run of a
// single job, the planning or the finishing of a sharded one. Code that
// this lease began in another state has killed nobody yet.
//
// At the code of some jobs workers died. Such code runs apart from all
// other suspects of this process, and the record says that it does. If
// the worker dies again, the reaper can tell that it was this job. If
// another suspect runs here, call returns outcome.ErrApart, and the job
// waits for its turn.
func (r *run) call(ctx context.Context, state tasks.State, code func() error) error {
	lease := r.job.Lease
	if lease.State != state || lease.Deaths < carefulAfter {
		return r.job.Call(ctx, code)
	}
	leave, ok := r.config.Apart()
	if !ok {
		return outcome.ErrApart
	}
	if err := lease.BeginCareful(ctx); err != nil {
		leave()
		return err
	}
	r.job.Env.Log.Warn("workers died while they ran this job: it runs apart from other suspects",
		"deaths", lease.Deaths)
	return r.job.Call(ctx, func() error {
		defer leave()
		return code()
	})
}

// callForResult is call for code that returns a result.
func (r *run) callForResult(
	ctx context.Context, state tasks.State, code func() (tasks.Result, error),
) (tasks.Result, error) {
	var result tasks.Result
	err := r.call(ctx, state, func() (err error) {
		result, err = code()
		return err
	})
	if err != nil {
		return nil, err // the code may still run, and write result
	}
	return result, nil
}
