package verify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

// cloud is a bucket in memory whose checks give set results. A step
// without a set result finds everything right.
type cloud struct {
	providers.Bucket
	network, probe, cors func(context.Context) []tasks.Check
	need                 *tasks.Need // filled with the need that it is probed for
}

func (c cloud) Diagnose(ctx context.Context) []tasks.Check {
	return answer(ctx, c.network, "resolve ok", "egress ok", "connect ok", "tls ok", "clock ok")
}

func (c cloud) Probe(ctx context.Context, need tasks.Need) []tasks.Check {
	if c.need != nil {
		*c.need = need
	}
	return answer(ctx, c.probe, "list ok", "read ok", "write ok")
}

func (c cloud) Preflight(ctx context.Context, _ tasks.CORS) []tasks.Check {
	return answer(ctx, c.cors, "cors ok")
}

func answer(ctx context.Context, own func(context.Context) []tasks.Check, usual ...string) []tasks.Check {
	if own != nil {
		return own(ctx)
	}
	return checksOf(usual...)
}

// checksOf makes checks from lines "id status code".
func checksOf(lines ...string) []tasks.Check {
	checks := make([]tasks.Check, len(lines))
	for i, line := range lines {
		words := append(strings.Fields(line), "")
		checks[i] = tasks.Check{ID: words[0], Status: tasks.CheckStatus(words[1]), Code: words[2], Evidence: "seen by " + words[0]}
	}
	return checks
}

func says(lines ...string) func(context.Context) []tasks.Check {
	return func(context.Context) []tasks.Check { return checksOf(lines...) }
}

// hangs returns its checks only when its time is up, as the client of
// a cloud does.
func hangs(lines ...string) func(context.Context) []tasks.Check {
	return func(ctx context.Context) []tasks.Check {
		<-ctx.Done()
		return checksOf(lines...)
	}
}

// verifyClouds runs a job whose buckets are the clouds, by name.
func verifyClouds(t testing.TB, w *jobtest.World, j tasks.VerifyConnection, clouds map[string]cloud) tasks.VerifyConnectionResult {
	t.Helper()
	r, err := Job{}.Run(t.Context(), j, cloudEnv(w, clouds))
	if err != nil {
		t.Fatal(err)
	}
	return r.(tasks.VerifyConnectionResult)
}

func cloudEnv(w *jobtest.World, clouds map[string]cloud) job.Env {
	env := w.Env()
	env.Open = func(ctx context.Context, s tasks.Storage) (providers.Bucket, error) {
		b, err := w.Open(ctx, s)
		c, known := clouds[s.Bucket]
		if err != nil || !known {
			return b, err
		}
		c.Bucket = b
		return c, nil
	}
	return env
}

const network = "settings ok, resolve ok, egress ok, connect ok, tls ok, clock ok, "

func TestRun_Order(t *testing.T) {
	t.Parallel()
	full := payload("in/manifest.jsonl")
	full.Need.CORS = &tasks.CORS{Origin: "https://app.example"}
	for name, c := range map[string]struct {
		cloud cloud
		want  string
	}{
		"all good": {cloud{}, network + "list ok, read ok, write ok, manifests ok, cors ok"},
		"network": {cloud{network: says("resolve ok", "egress ok", "connect fail ConnectionRefused", "tls skipped", "clock skipped")},
			"settings ok, resolve ok, egress ok, connect fail, tls skipped, clock skipped, list skipped, read skipped, write skipped, manifests skipped, cors skipped"},
		"sign-in": {cloud{network: says("resolve ok", "egress ok", "connect ok", "tls ok", "clock ok", "sign-in fail EgressBlocked")},
			network + "sign-in fail, list skipped, read skipped, write skipped, manifests skipped, cors skipped"},
		"clock warns": {cloud{network: says("resolve ok", "clock warn ClockSkew")},
			"settings ok, resolve ok, clock warn, list ok, read ok, write ok, manifests ok, cors ok"},
		"settings of a token": {cloud{probe: says("settings fail SASExpired", "list skipped", "read skipped", "write skipped")},
			"settings fail, resolve ok, egress ok, connect ok, tls ok, clock ok, list skipped, read skipped, write skipped, manifests skipped, cors skipped"},
		"settings warn": {cloud{probe: says("settings warn SASEndsSoon", "list ok", "read ok", "write ok")},
			"settings warn, resolve ok, egress ok, connect ok, tls ok, clock ok, list ok, read ok, write ok, manifests ok, cors ok"},
		"credentials": {cloud{probe: says("credentials fail InvalidAccessKeyId", "list skipped", "read skipped", "write skipped")},
			network + "credentials fail, list skipped, read skipped, write skipped, manifests skipped, cors skipped"},
		"list":     {cloud{probe: says("list fail NoSuchBucket", "read skipped", "write skipped")}, network + "list fail, read skipped, write skipped, manifests skipped, cors skipped"},
		"read":     {cloud{probe: says("list ok", "read fail AccessDenied", "write ok")}, network + "list ok, read fail, write ok, manifests skipped, cors ok"},
		"write":    {cloud{probe: says("list ok", "read ok", "write fail AccessDenied")}, network + "list ok, read ok, write fail, manifests ok, cors ok"},
		"versions": {cloud{probe: says("list ok", "read ok", "versions fail AccessDenied")}, network + "list ok, read ok, versions fail, manifests ok, cors ok"},
		"kms":      {cloud{probe: says("list ok", "read ok", "kms fail AccessDenied")}, network + "list ok, read ok, kms fail, manifests skipped, cors ok"},
		"cors":     {cloud{cors: says("cors fail OriginNotAllowed")}, network + "list ok, read ok, write ok, manifests ok, cors fail"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := jobtest.New()
			w.Put(t, "in/manifest.jsonl", good)
			r := verifyClouds(t, w, full, map[string]cloud{jobtest.Bucket: c.cloud})
			if got := strings.Join(brief(r), ", "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if fails := strings.Count(c.want, " fail"); r.OK != (fails == 0) || fails > 1 {
				t.Errorf("%d checks fail, OK is %v", fails, r.OK)
			}
		})
	}
}

func TestRun_ProbesForTheNeed(t *testing.T) {
	t.Parallel()
	j := payload()
	j.Need.Versions, j.Need.KMS = true, true
	var main, second tasks.Need
	thumbs := tasks.Storage{Provider: "mem", Bucket: "thumbs"}
	j.Need.Thumbnails = &thumbs
	verifyClouds(t, jobtest.New("thumbs"), j, map[string]cloud{jobtest.Bucket: {need: &main}, "thumbs": {need: &second}})
	if !main.Read || !main.Write || !main.Versions || !main.KMS {
		t.Errorf("the storage was probed for %+v", main)
	}
	if second != (tasks.Need{Read: true, Write: true}) {
		t.Errorf("the second storage was probed for %+v", second)
	}
}

// A bucket that browsers cannot reach has an unknown CORS check, not
// a failed one.
func TestRun_CORSOfABucketWithoutBrowsers(t *testing.T) {
	t.Parallel()
	j := payload()
	j.Need.CORS = &tasks.CORS{Origin: "https://app.example"}
	if got := brief(run(t, jobtest.New(), j)); got[len(got)-1] != "cors unknown" {
		t.Errorf("%v", got)
	}
}

func TestRun_Thumbnails(t *testing.T) {
	t.Parallel()
	refused := says("resolve ok", "connect fail ConnectionRefused")
	const fine = "thumbnails.resolve ok, thumbnails.egress ok, thumbnails.connect ok, thumbnails.tls ok, thumbnails.clock ok, "
	for name, c := range map[string]struct {
		main, second cloud
		change       func(*tasks.Storage)
		want         string // the checks of the second storage
		verdict      string
	}{
		"good":   {want: "thumbnails.settings ok, " + fine + "thumbnails.list ok, thumbnails.read ok, thumbnails.write ok", verdict: "works"},
		"denied": {second: cloud{probe: says("list ok", "read ok", "write fail AccessDenied")}, want: "thumbnails.settings ok, " + fine + "thumbnails.list ok, thumbnails.read ok, thumbnails.write fail", verdict: "does not work: thumbnails.write failed (AccessDenied)"},
		"both unreachable": {main: cloud{network: refused}, second: cloud{network: refused},
			want:    "thumbnails.settings ok, thumbnails.resolve ok, thumbnails.connect skipped, thumbnails.list skipped, thumbnails.read skipped, thumbnails.write skipped",
			verdict: "does not work: connect failed (ConnectionRefused)"},
		"elsewhere, unreachable too": {main: cloud{network: refused}, second: cloud{network: refused}, change: func(s *tasks.Storage) { s.Endpoint = "https://other" },
			want:    "thumbnails.settings ok, thumbnails.resolve ok, thumbnails.connect fail, thumbnails.list skipped, thumbnails.read skipped, thumbnails.write skipped",
			verdict: "does not work: connect failed (ConnectionRefused), and 1 more"},
		"first unreachable": {main: cloud{network: refused}, want: "thumbnails.settings ok, " + fine + "thumbnails.list ok, thumbnails.read ok, thumbnails.write ok",
			verdict: "does not work: connect failed (ConnectionRefused)"},
		"both denied": {main: cloud{probe: says("list fail AccessDenied")}, second: cloud{probe: says("list fail AccessDenied")},
			want: "thumbnails.settings ok, " + fine + "thumbnails.list fail", verdict: "does not work: list failed (AccessDenied), and 1 more"},
		"same credentials": {main: cloud{probe: says("credentials fail InvalidAccessKeyId")}, second: cloud{probe: says("credentials fail InvalidAccessKeyId")},
			want: "thumbnails.settings ok, " + fine + "thumbnails.credentials skipped", verdict: "does not work: credentials failed (InvalidAccessKeyId)"},
		"same sign-in": {main: cloud{network: says("resolve ok", "sign-in fail EgressBlocked")}, second: cloud{network: says("resolve ok", "sign-in fail EgressBlocked")},
			want:    "thumbnails.settings ok, thumbnails.resolve ok, thumbnails.sign-in skipped, thumbnails.list skipped, thumbnails.read skipped, thumbnails.write skipped",
			verdict: "does not work: sign-in failed (EgressBlocked)"},
		"another sign-in": {main: cloud{network: says("resolve ok", "sign-in fail EgressBlocked")}, second: cloud{network: says("resolve ok", "sign-in fail EgressBlocked")},
			change:  func(s *tasks.Storage) { s.Region = "elsewhere-1" },
			want:    "thumbnails.settings ok, thumbnails.resolve ok, thumbnails.sign-in fail, thumbnails.list skipped, thumbnails.read skipped, thumbnails.write skipped",
			verdict: "does not work: sign-in failed (EgressBlocked), and 1 more"},
		"no such bucket": {change: func(s *tasks.Storage) { s.Bucket = "nowhere" },
			want: "thumbnails.settings ok, thumbnails.list fail, thumbnails.read skipped, thumbnails.write skipped", verdict: "does not work: thumbnails.list failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := payload()
			j.Need.Thumbnails = &tasks.Storage{Provider: "mem", Bucket: "thumbs"}
			if c.change != nil {
				c.change(j.Need.Thumbnails)
			}
			r := verifyClouds(t, jobtest.New("thumbs"), j, map[string]cloud{jobtest.Bucket: c.main, "thumbs": c.second})
			got := brief(r)
			got = got[slices.IndexFunc(got, func(c string) bool { return strings.HasPrefix(c, "thumbnails.") }):]
			if text := strings.Join(got, ", "); text != c.want || !strings.Contains(r.Verdict, c.verdict) {
				t.Errorf("got  %s\nwant %s\nverdict %s", text, c.want, r.Verdict)
			}
		})
	}
}

func TestRun_ThumbnailsThatDoNotOpen(t *testing.T) {
	t.Parallel()
	w := jobtest.New("thumbs")
	w.Fail = func(op, key string) error {
		if op == "open" && key == "thumbs" {
			return &providers.Error{Op: op, Bucket: key, Kind: providers.Invalid, Code: "SecretMissing", Fix: "Set it."}
		}
		return nil
	}
	j := payload()
	j.Need.Thumbnails = &tasks.Storage{Provider: "mem", Bucket: "thumbs"}
	r := run(t, w, j)
	if got := strings.Join(brief(r), ", "); !strings.HasSuffix(got, "thumbnails.settings fail, thumbnails.list skipped, thumbnails.read skipped, thumbnails.write skipped") || r.OK {
		t.Errorf("%s: %s", r.Verdict, got)
	}
}

// Whatever hangs, the result comes in time, and one check says what
// hung.
func TestRun_InTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cloud cloud
		want  string
		took  time.Duration
	}{
		"network":                 {cloud{network: hangs("resolve ok", "connect fail timeout", "tls skipped")}, "connect", maxNetworkDuration},
		"a network without codes": {cloud{network: hangs("resolve fail", "connect fail")}, "resolve", maxNetworkDuration},
		"list":                    {cloud{probe: hangs("list fail unavailable", "read fail", "write unknown")}, "list", maxDuration},
		"write":                   {cloud{probe: hangs("list ok", "read ok", "write unknown"), cors: hangs("cors fail timeout")}, "write", maxDuration},
		"after a list":            {cloud{probe: hangs("list ok", "read fail", "write fail AccessDenied")}, "read", maxDuration},
		"cors":                    {cloud{cors: hangs("cors fail timeout")}, "cors", maxDuration},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := jobtest.New()
				w.Put(t, "in/manifest.jsonl", good)
				j := payload("in/manifest.jsonl")
				j.Need.CORS = &tasks.CORS{Origin: "https://app.example"}
				start := time.Now()
				r := verifyClouds(t, w, j, map[string]cloud{jobtest.Bucket: c.cloud})
				if took := time.Since(start); took != c.took {
					t.Errorf("took %s, want %s", took, c.took)
				}
				fails := slices.DeleteFunc(r.Checks, func(c tasks.Check) bool { return c.Status != tasks.CheckFail })
				if len(fails) != 1 || fails[0].ID != c.want || fails[0].Code != codeTimeout {
					t.Errorf("want %s to fail alone: %+v", c.want, fails)
				}
			})
		})
	}
}

// A failure with a code stays as it is, even if it comes when the
// time is up. Checks that passed are kept too.
func TestRun_SpecificFailureAtTheLastMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := payload()
		r := verifyClouds(t, jobtest.New(), j, map[string]cloud{jobtest.Bucket: {probe: hangs("list fail NoSuchBucket", "read skipped")}})
		if !strings.HasSuffix(r.Verdict, "list failed (NoSuchBucket)") {
			t.Error(r.Verdict)
		}
		r = verifyClouds(t, jobtest.New(), j, map[string]cloud{jobtest.Bucket: {probe: hangs("list ok", "read ok")}})
		if !r.OK {
			t.Error(r.Verdict)
		}
	})
}

// If the job's context ends, Run returns its cause and no result.
func TestRun_ContextEndsMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		drain := errors.New("the worker drains")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(5*time.Second, func() { cancel(drain) })
		clouds := map[string]cloud{jobtest.Bucket: {probe: hangs("list fail")}}
		if r, err := (Job{}).Run(ctx, payload(), cloudEnv(jobtest.New(), clouds)); !errors.Is(err, drain) || r != nil {
			t.Errorf("got %v, %v", r, err)
		}
	})
}

func TestRun_APanicEndsTheAttemptOnly(t *testing.T) {
	t.Parallel()
	clouds := map[string]cloud{jobtest.Bucket: {network: func(context.Context) []tasks.Check { panic("odd") }}}
	if _, err := (Job{}).Run(t.Context(), payload(), cloudEnv(jobtest.New(), clouds)); !errors.Is(err, guard.ErrPanic) {
		t.Errorf("got %v", err)
	}
}
