package verify

import (
	"context"
	"slices"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// visit looks at one storage.
type visit struct {
	storage tasks.Storage
	need    tasks.Need
	checks  []tasks.Check
}

// run makes the checks in their order: settings, the network, the bucket
// itself, its manifests, its CORS rules.
func (v *visit) run(ctx context.Context, env job.Env) {
	b, err := env.Open(ctx, v.storage)
	if err != nil {
		v.add(ctx, func(context.Context) []tasks.Check { return []tasks.Check{failure(checkSettings, err)} })
		v.skip(v.rest())
		return
	}
	defer func() { _ = b.Close() }()
	v.checks = append(v.checks, tasks.Check{ID: checkSettings, Status: tasks.CheckOK, Evidence: "the settings are complete and the credentials were found"})
	v.network(ctx, b)
	v.probe(ctx, b)
	v.manifests(ctx, b)
	v.cors(ctx, b)
}

func (v *visit) network(ctx context.Context, b providers.Bucket) {
	ctx, cancel := context.WithTimeout(ctx, limitNetwork)
	defer cancel()
	v.add(ctx, func(ctx context.Context) []tasks.Check { return providers.Diagnose(ctx, b) })
}

// probe asks the bucket. What it says about the settings, for example that a
// token has ended, replaces what is already said about them.
func (v *visit) probe(ctx context.Context, b providers.Bucket) {
	if failed(v.checks) {
		v.skip(v.probes())
		return
	}
	before := len(v.checks)
	v.add(ctx, func(ctx context.Context) []tasks.Check { return providers.Probe(ctx, b, v.need) })
	if len(v.checks) > before && v.checks[before].ID == checkSettings {
		v.checks[0] = v.checks[before]
		v.checks = slices.Delete(v.checks, before, before+1)
	}
}

// manifests needs the right to read, and the bucket.
func (v *visit) manifests(ctx context.Context, b providers.Bucket) {
	for _, key := range v.storage.Manifests {
		if v.blocked(checkWrite, checkVersions, checkManifests) || ranOut(v.checks) {
			v.checks = append(v.checks, tasks.Check{ID: checkManifests, Status: tasks.CheckSkipped, Evidence: key + ": needs what failed before"})
			continue
		}
		v.add(ctx, func(ctx context.Context) []tasks.Check { return []tasks.Check{manifest(ctx, b, key)} })
	}
}

// cors needs no right at all, but a bucket that is there: one that does not
// list may not be.
func (v *visit) cors(ctx context.Context, b providers.Bucket) {
	switch {
	case v.need.CORS == nil:
	case v.blocked(checkRead, checkWrite, checkVersions, checkKMS, checkManifests), ranOut(v.checks):
		v.skip([]string{checkCORS})
	default:
		v.add(ctx, func(ctx context.Context) []tasks.Check { return providers.Preflight(ctx, b, *v.need.CORS) })
	}
}

// blocked reports whether a check failed other than those named.
func (v *visit) blocked(but ...string) bool {
	return slices.ContainsFunc(v.checks, func(c tasks.Check) bool {
		return c.Status == tasks.CheckFail && !slices.Contains(but, c.ID)
	})
}

// codeTimeout is the code of a check that ran out of time.
const codeTimeout = "timeout"

// add makes the checks of a step. When its time ended meanwhile, the first
// check that suffered from it says so, and those after it are skipped. What
// two checks of a step saw alike is one fault, and fails once.
func (v *visit) add(ctx context.Context, step func(context.Context) []tasks.Check) {
	checks := step(ctx)
	if ctx.Err() != nil {
		late(checks)
	}
	for i, c := range checks {
		alike := func(e tasks.Check) bool {
			return e.Status == tasks.CheckFail && e.Evidence != "" && e.Evidence == c.Evidence
		}
		if c.Status == tasks.CheckFail && slices.ContainsFunc(checks[:i], alike) {
			checks[i] = skipped(c.ID)
		}
	}
	v.checks = append(v.checks, checks...)
}

// late finds the check that ran out of time: the first that failed, or was
// left open, and tells no code of its own.
func late(checks []tasks.Check) {
	at := slices.IndexFunc(checks, func(c tasks.Check) bool {
		return c.Status == tasks.CheckFail || c.Status == tasks.CheckUnknown && nameless(c)
	})
	if at < 0 || !nameless(checks[at]) {
		return
	}
	checks[at].Status = tasks.CheckFail
	if checks[at].Code != codeTimeout {
		checks[at].Code = codeTimeout
		checks[at].Fix = "Check that the endpoint answers the workers quickly, then verify again: a verification takes 20 seconds at most."
	}
	for i := range checks[at+1:] {
		checks[at+1+i] = skipped(checks[at+1+i].ID)
	}
}

// nameless reports whether a check tells nothing but that there was no
// answer.
func nameless(c tasks.Check) bool {
	return slices.Contains([]string{"", codeTimeout, string(providers.Unavailable)}, c.Code)
}

func ranOut(checks []tasks.Check) bool {
	return slices.ContainsFunc(checks, func(c tasks.Check) bool { return c.Status == tasks.CheckFail && c.Code == codeTimeout })
}

// probes are the checks that a bucket makes for a need.
func (v *visit) probes() []string {
	ids := []string{checkList}
	for _, asked := range []struct {
		id     string
		wanted bool
	}{{checkRead, v.need.Read}, {checkWrite, v.need.Write}, {checkVersions, v.need.Versions}, {checkKMS, v.need.KMS}} {
		if asked.wanted {
			ids = append(ids, asked.id)
		}
	}
	return ids
}

// rest are all the checks that come after the network's.
func (v *visit) rest() []string {
	ids := v.probes()
	for range v.storage.Manifests {
		ids = append(ids, checkManifests)
	}
	if v.need.CORS != nil {
		ids = append(ids, checkCORS)
	}
	return ids
}

func (v *visit) skip(ids []string) {
	for _, id := range ids {
		v.checks = append(v.checks, skipped(id))
	}
}

func skipped(id string) tasks.Check {
	return tasks.Check{ID: id, Status: tasks.CheckSkipped, Evidence: "needs what failed before"}
}
