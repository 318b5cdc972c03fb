package verify

import (
	"context"
	"slices"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// verification verifies one storage.
type verification struct {
	storage tasks.Storage
	need    tasks.Need
	checks  []tasks.Check // so far, in order
}

// run makes the checks in their order: settings, the network, the
// bucket, its manifests, its CORS rules.
func (v *verification) run(ctx context.Context, env job.Env) {
	b, err := env.Open(ctx, v.storage)
	if err != nil {
		v.add(ctx, failure(tasks.CheckIDSettings, err))
		v.skip(v.bucketIDs())
		for range v.storage.Manifests {
			v.skip([]string{tasks.CheckIDManifests})
		}
		if v.need.CORS != nil {
			v.skip([]string{tasks.CheckIDCORS})
		}
		return
	}
	defer func() { _ = b.Close() }()

	settings := check.OK("the settings are complete and the credentials were found")
	settings.ID = tasks.CheckIDSettings
	v.add(ctx, settings)
	v.checkNetwork(ctx, b)
	v.checkBucket(ctx, b)
	v.checkManifests(ctx, b)
	v.checkCORS(ctx, b)
}

func (v *verification) checkNetwork(ctx context.Context, b providers.Bucket) {
	ctx, cancel := context.WithTimeout(ctx, maxNetworkDuration)
	defer cancel()
	v.add(ctx, providers.Diagnose(ctx, b)...)
}

// checkBucket probes the bucket. If the probe checks the settings
// too, for example the end of a token, that replaces the earlier
// check of them.
func (v *verification) checkBucket(ctx context.Context, b providers.Bucket) {
	if anyFailed(v.checks) {
		v.skip(v.bucketIDs())
		return
	}
	before := len(v.checks)
	v.add(ctx, providers.Probe(ctx, b, v.need)...)
	if len(v.checks) > before && v.checks[before].ID == tasks.CheckIDSettings {
		v.checks[0] = v.checks[before]
		v.checks = slices.Delete(v.checks, before, before+1)
	}
	v.checkOrder(ctx, b)
}

// checkManifests needs a bucket that can be read.
func (v *verification) checkManifests(ctx context.Context, b providers.Bucket) {
	for _, key := range v.storage.Manifests {
		failed := v.firstFailure(
			tasks.CheckIDWrite, tasks.CheckIDVersions, tasks.CheckIDManifests)
		if failed == "" {
			v.add(ctx, checkManifest(ctx, b, key))
			continue
		}
		c := check.SkipAfter(failed)
		c.ID, c.Evidence = tasks.CheckIDManifests, key+": "+c.Evidence
		v.checks = append(v.checks, c)
	}
}

// checkCORS needs no permissions, but a bucket that exists. If it
// cannot be listed, it may not exist.
func (v *verification) checkCORS(ctx context.Context, b providers.Bucket) {
	if v.need.CORS == nil {
		return
	}
	failed := v.firstFailure(
		tasks.CheckIDRead, tasks.CheckIDWrite, tasks.CheckIDVersions,
		tasks.CheckIDKMS, tasks.CheckIDManifests)
	if failed != "" {
		v.skip([]string{tasks.CheckIDCORS})
		return
	}
	v.add(ctx, providers.Preflight(ctx, b, *v.need.CORS)...)
}

// add adds the checks of a step. If the step's time has ended, the
// first check that this affects fails with a timeout.
func (v *verification) add(ctx context.Context, checks ...tasks.Check) {
	if ctx.Err() != nil {
		markTimeout(checks)
	}
	v.checks = append(v.checks, checks...)
}

// skip adds skipped checks. They need the first check that has
// failed.
func (v *verification) skip(ids []string) {
	failed := v.firstFailure()
	for _, id := range ids {
		c := check.SkipAfter(failed)
		c.ID = id
		v.checks = append(v.checks, c)
	}
}

// firstFailure returns the ID of the first check that has failed, or
// an empty string. It ignores checks with the given IDs unless they
// ran out of time.
func (v *verification) firstFailure(ignored ...string) string {
	i := slices.IndexFunc(v.checks, func(c tasks.Check) bool {
		return check.IsFailure(c) && (c.Code == codeTimeout || !slices.Contains(ignored, c.ID))
	})
	if i < 0 {
		return ""
	}
	return v.checks[i].ID
}

// bucketIDs returns the IDs of the checks that a probe makes for the
// need.
func (v *verification) bucketIDs() []string {
	ids := []string{tasks.CheckIDList}
	for _, c := range []struct {
		id     string
		wanted bool
	}{
		{tasks.CheckIDRead, v.need.Read},
		{tasks.CheckIDWrite, v.need.Write},
		{tasks.CheckIDVersions, v.need.Versions},
		{tasks.CheckIDKMS, v.need.KMS},
	} {
		if c.wanted {
			ids = append(ids, c.id)
		}
	}
	return ids
}
