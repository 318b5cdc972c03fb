// Package verify is the job verify-connection: it finds out whether a bucket is set up right for what it shall be used
// for, and says what to do where it is not.
//
// It knows the order of the checks, what a manifest must look like for CVAT to take it, and how to sum a diagnosis up.
// What a cloud's answers mean only the cloud's own package knows, which makes the checks of the bucket.
package verify

import (
	"context"
	"errors"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// The checks' IDs, as in tasks.Check.
const (
	checkSettings  = "settings"
	checkList      = "list"
	checkRead      = "read"
	checkWrite     = "write"
	checkManifests = "manifests"
)

// Job verifies connections. The zero value is ready.
type Job struct{}

var _ job.Single[tasks.VerifyConnection] = Job{}

// Run implements job.Single. A bad diagnosis is a result, not an error; the only errors are those of ctx.
func (Job) Run(ctx context.Context, j tasks.VerifyConnection, env job.Env) (tasks.Result, error) {
	checks := diagnose(ctx, j, env)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return tasks.VerifyConnectionResult{OK: !failed(checks), Verdict: verdict(j, checks), Checks: checks}, nil
}

func diagnose(ctx context.Context, j tasks.VerifyConnection, env job.Env) []tasks.Check {
	b, err := env.Open(ctx, j.Storage)
	if err != nil {
		return append([]tasks.Check{failure(checkSettings, err)}, skippedChecks(j)...)
	}
	defer func() { _ = b.Close() }()
	checks := providers.Probe(ctx, b, j.Need)
	if len(checks) == 0 || checks[0].ID != checkSettings {
		opened := tasks.Check{ID: checkSettings, Status: tasks.CheckOK, Evidence: "the settings are complete and the credentials were found"}
		checks = append([]tasks.Check{opened}, checks...)
	}
	return append(checks, manifests(ctx, b, j.Storage, failed(checks, checkSettings, checkList, checkRead))...)
}

// skippedChecks are those that would have come after the settings.
func skippedChecks(j tasks.VerifyConnection) []tasks.Check {
	ids := []string{checkList}
	if j.Need.Read {
		ids = append(ids, checkRead)
	}
	if j.Need.Write {
		ids = append(ids, checkWrite)
	}
	for range j.Storage.Manifests {
		ids = append(ids, checkManifests)
	}
	checks := make([]tasks.Check, len(ids))
	for i, id := range ids {
		checks[i] = tasks.Check{ID: id, Status: tasks.CheckSkipped, Evidence: "needs what failed before"}
	}
	return checks
}

// failure turns an error into a check. Errors of buckets are already free of secrets.
func failure(id string, err error) tasks.Check {
	c := tasks.Check{ID: id, Status: tasks.CheckFail, Evidence: err.Error()}
	var e *providers.Error
	if errors.As(err, &e) {
		c.Code, c.Fix = e.Code, e.Advice()
	}
	if c.Code == "" {
		c.Code = string(providers.KindOf(err))
	}
	return c
}
