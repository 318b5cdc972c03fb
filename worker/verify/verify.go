// Package verify is the job verify-connection: it finds out whether a
// bucket is set up correctly for what it shall be used for, and
// advises what to do if it is not.
//
// It knows the order of the checks, which of them depend on which,
// which manifests CVAT accepts, and how to sum up the result. The
// package of each cloud knows what the cloud's answers mean: it
// checks the network, the bucket and the CORS rules.
package verify

import (
	"context"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// A user waits for the result, so it comes within 20 seconds, even if
// servers do not answer.
const (
	maxDuration        = 19 * time.Second
	maxNetworkDuration = 10 * time.Second
)

// Job verifies connections. The zero value is ready.
type Job struct{}

var _ job.Single[tasks.VerifyConnection] = Job{}

// Run implements job.Single. A failed check is a result, not an
// error, and so is a server that does not answer in time. The only
// errors are those of ctx.
func (Job) Run(
	ctx context.Context, j tasks.VerifyConnection, env job.Env,
) (tasks.Result, error) {
	storages := []*verification{{storage: j.Storage, need: j.Need}}
	if j.Need.Thumbnails != nil {
		storages = append(storages, &verification{
			storage: *j.Need.Thumbnails, need: tasks.Need{Read: true, Write: true},
		})
	}
	verifyOne := func(ctx context.Context, v *verification) (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, maxDuration)
		defer cancel()
		v.run(ctx, env)
		return struct{}{}, nil
	}
	if _, err := job.Each(ctx, storages, len(storages), verifyOne); err != nil {
		return nil, err
	}

	checks := storages[0].checks
	if len(storages) > 1 {
		checks = append(checks, thumbnailChecks(storages[0], storages[1])...)
	}
	return tasks.VerifyConnectionResult{
		OK: !anyFailed(checks), Verdict: verdict(j, checks), Checks: checks,
	}, nil
}

// failure makes a failed check of an error. If the error has no code,
// the check has its kind as code.
func failure(id string, err error) tasks.Check {
	c := check.FailError(err)
	c.ID = id
	if c.Code == "" {
		c.Code = string(providers.KindOf(err))
	}
	return c
}
