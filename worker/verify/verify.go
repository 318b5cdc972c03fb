// Package verify is the job verify-connection: it finds out whether a bucket
// is set up right for what it shall be used for, and says what to do where it
// is not.
//
// It knows the order of the checks and which of them are pointless after
// which, what a manifest must look like for CVAT to take it, and how to sum a
// diagnosis up. What a cloud's answers mean only the cloud's own package
// knows, which makes the checks of the network, of the bucket and of its CORS
// rules.
package verify

import (
	"context"
	"errors"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// The checks' IDs, as in tasks.Check. Those of the network are made by
// buckets alone.
const (
	checkSettings  = "settings"
	checkList      = "list"
	checkRead      = "read"
	checkWrite     = "write"
	checkVersions  = "versions"
	checkKMS       = "kms"
	checkManifests = "manifests"
	checkCORS      = "cors"
)

// A person waits for the answer, so it comes within 20 seconds, whatever
// servers do.
const (
	limitWhole   = 19 * time.Second
	limitNetwork = 10 * time.Second
)

// Job verifies connections. The zero value is ready.
type Job struct{}

var _ job.Single[tasks.VerifyConnection] = Job{}

// Run implements job.Single. A bad diagnosis is a result, not an error, and
// so is a server that lets the time run out; the only errors are those of
// ctx.
func (Job) Run(ctx context.Context, j tasks.VerifyConnection, env job.Env) (tasks.Result, error) {
	visits := []*visit{{storage: j.Storage, need: j.Need}}
	if j.Need.Thumbnails != nil {
		visits = append(visits, &visit{storage: *j.Need.Thumbnails, need: tasks.Need{Read: true, Write: true}})
	}
	_, err := job.Each(ctx, visits, len(visits), func(ctx context.Context, v *visit) (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, limitWhole)
		defer cancel()
		v.run(ctx, env)
		return struct{}{}, nil
	})
	if err != nil {
		return nil, err
	}
	checks := visits[0].checks
	if len(visits) > 1 {
		checks = append(checks, thumbnails(visits[0], visits[1])...)
	}
	return tasks.VerifyConnectionResult{OK: !failed(checks), Verdict: verdict(j, checks), Checks: checks}, nil
}

// failure turns an error into a check. Errors of buckets are already free of
// secrets.
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
