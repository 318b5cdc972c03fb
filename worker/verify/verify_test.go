package verify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

const good = `{"version":"1.1"}
{"type":"images"}
{"name":"a","extension":".jpg","width":640,"height":480}
`

func payload(manifests ...string) tasks.VerifyConnection {
	s := jobtest.Source("in/")
	s.Manifests = manifests
	return tasks.VerifyConnection{Storage: s, Need: tasks.Need{Read: true, Write: true}}
}

func run(t *testing.T, w *jobtest.World, j tasks.VerifyConnection) tasks.VerifyConnectionResult {
	t.Helper()
	r, err := Job{}.Run(t.Context(), j, w.Env())
	if err != nil {
		t.Fatal(err)
	}
	return r.(tasks.VerifyConnectionResult)
}

// brief lists the checks' IDs and statuses.
func brief(r tasks.VerifyConnectionResult) (all []string) {
	for _, c := range r.Checks {
		all = append(all, c.ID+" "+string(c.Status))
	}
	return all
}

func TestRun_GoodBucket(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	w.Put(t, "in/a.jpg", "x")
	w.Put(t, "in/manifest.jsonl", good)
	for range 2 {
		r := run(t, w, payload("in/manifest.jsonl"))
		if diff := cmp.Diff([]string{"settings ok", "list ok", "read ok", "write ok", "manifests ok"}, brief(r)); diff != "" {
			t.Error(diff)
		}
		if !r.OK || r.Verdict != "mem://images/in/ works" {
			t.Errorf("%v, %q", r.OK, r.Verdict)
		}
	}
	if puts := w.Ops("put", "delete"); len(puts) > 0 {
		t.Errorf("it wrote: %v", puts)
	}
}

func TestRun_SettingsThatDoNotOpen(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	w.Fail = func(op, _ string) error {
		return &providers.Error{Op: op, Bucket: "images", Kind: providers.Invalid, Code: "SecretMissing", Fix: "Set it."}
	}
	r := run(t, w, payload("in/a.jsonl", "in/b.jsonl"))
	want := []string{"settings fail", "list skipped", "read skipped", "write skipped", "manifests skipped", "manifests skipped"}
	if diff := cmp.Diff(want, brief(r)); diff != "" {
		t.Error(diff)
	}
	first := r.Checks[0]
	if r.OK || first.Code != "SecretMissing" || first.Fix != "Set it." || first.Evidence == "" || !strings.HasSuffix(r.Verdict, "does not work: settings failed (SecretMissing)") {
		t.Errorf("%+v", r)
	}
}

func TestRun_NoBucket(t *testing.T) {
	t.Parallel()
	j := payload("in/manifest.jsonl")
	j.Storage.Bucket = "nowhere"
	r := run(t, jobtest.New(), j)
	if r.OK || !slices.Contains(brief(r), "list fail") || !slices.Contains(brief(r), "manifests skipped") {
		t.Errorf("%+v", r)
	}
}

// A skipped check names the failed check that it needs.
func TestRun_SkippedChecksSayWhy(t *testing.T) {
	t.Parallel()
	j := payload("in/manifest.jsonl")
	j.Storage.Bucket = "nowhere"
	for _, c := range run(t, jobtest.New(), j).Checks {
		if c.Status == tasks.CheckSkipped && !strings.HasSuffix(c.Evidence, "needs list, which failed") {
			t.Errorf("%+v", c)
		}
	}
}

func TestRun_ManifestsThatAreMissingOrDenied(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	w.Put(t, "in/a.jpg", "x")
	w.Put(t, "in/good.jsonl", good)
	w.Put(t, "in/denied.jsonl", good)
	w.Fail = func(op, key string) error {
		if key == "in/denied.jsonl" {
			return &providers.Error{Op: op, Key: key, Kind: providers.Denied, Code: "AccessDenied"}
		}
		return nil
	}
	r := run(t, w, payload("in/missing.jsonl", "in/denied.jsonl", "in/good.jsonl"))
	var got []string
	for _, c := range r.Checks {
		if c.ID == tasks.CheckIDManifests {
			got = append(got, string(c.Status))
			if c.Status == tasks.CheckFail && (c.Code == "" || c.Fix == "" || c.Evidence == "") {
				t.Errorf("a failure without help: %+v", c)
			}
		}
	}
	if r.OK || !slices.Equal(got, []string{"fail", "fail", "ok"}) {
		t.Errorf("%v", got)
	}
}

func TestRun_EndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	drain := errors.New("the worker drains")
	cancel(drain)
	if r, err := (Job{}).Run(ctx, payload(), jobtest.New().Env()); !errors.Is(err, drain) || r != nil {
		t.Errorf("got %v, %v", r, err)
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	check := func(id string, s tasks.CheckStatus) tasks.Check { return tasks.Check{ID: id, Status: s} }
	for want, checks := range map[string][]tasks.Check{
		"mem://images/in/ works": {check("list", tasks.CheckOK), check("write", tasks.CheckSkipped)},
		"mem://images/in/ does not work: list failed, and 2 more": {
			check("list", tasks.CheckFail), check("manifests", tasks.CheckFail), check("manifests", tasks.CheckFail), check("write", tasks.CheckUnknown),
		},
		"mem://images/in/ does not work: connect failed (ConnectionRefused); 1 warning: egress": {
			check("egress", tasks.CheckWarn), {ID: "connect", Status: tasks.CheckFail, Code: "ConnectionRefused"},
		},
		"mem://images/in/ works as far as could be found out; not known: read, write; 1 warning: list": {
			check("list", tasks.CheckWarn), check("read", tasks.CheckUnknown), check("write", tasks.CheckUnknown),
		},
		"mem://images/in/ works; 3 warnings: list, cors": {check("list", tasks.CheckWarn), check("cors", tasks.CheckWarn), check("cors", tasks.CheckWarn)},
	} {
		if got := verdict(payload(), checks); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// CVAT's is_dataset_manifest gives the same.
func TestInspect(t *testing.T) {
	t.Parallel()
	head := "{\"version\":\"1.1\"}\n{\"type\":\"images\"}\n"
	entry := "{\"name\":\"a\",\"extension\":\".jpg\",\"width\":1,\"height\":1}\n"
	for name, c := range map[string]struct {
		text  string
		valid bool
	}{
		"normal":                       {good, true},
		"no final newline":             {strings.TrimSpace(good), true},
		"trailing blank lines":         {good + "\n\n", true},
		"CRLF":                         {strings.ReplaceAll(good, "\n", "\r\n"), true},
		"spaces, order, unknown keys":  {head + `{"x": 1, "height": 1, "width": 1, "extension": "", "name": "ü"}`, true},
		"version 1.0":                  {strings.Replace(good, "1.1", "1.0", 1), true},
		"a broken second entry":        {good + "{}\n", true},
		"a video":                      {"{\"version\":\"1.1\"}\n{\"type\":\"video\"}\n{\"properties\":{\"name\":\"v.mp4\"}}\n", true},
		"header only":                  {head, false},
		"blank line after the header":  {head + "\n" + entry, false},
		"empty":                        {"", false},
		"byte order mark":              {"\xef\xbb\xbf" + good, false},
		"version as a number":          {strings.Replace(good, `"1.1"`, "1.1", 1), false},
		"version 1.2":                  {strings.Replace(good, "1.1", "1.2", 1), false},
		"both header keys on one line": {"{\"version\":\"1.1\",\"type\":\"images\"}\n" + entry, false},
		"another type":                 {strings.Replace(good, "images", "sounds", 1), false},
		"no width":                     {head + `{"name":"a","extension":".jpg","height":1}`, false},
		"floats":                       {head + `{"name":"a","extension":".jpg","width":1.0,"height":1}`, false},
		"no name":                      {head + `{"extension":".jpg","width":1,"height":1}`, false},
		"a null name":                  {head + `{"name":null,"extension":".jpg","width":1,"height":1}`, false},
		"an empty entry":               {head + "{}\n", false},
		"an image":                     {"\xff\xd8\xff\xe0", false},
		"a video without properties":   {"{\"version\":\"1.1\"}\n{\"type\":\"video\"}\n{\"number\":0}\n", false},
		"a list":                       {"[1]\n[2]\n[3]\n", false},
	} {
		if err := inspect([]byte(c.text), true); (err == nil) != c.valid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRun_ReadsOnlyTheStartOfALongManifest(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	w.Put(t, "in/a.jpg", "x")
	w.Put(t, "in/long.jsonl", good+strings.Repeat("{}\n", 100_000))
	w.Put(t, "in/line.jsonl", strings.Repeat("x", 100_000))
	r := run(t, w, payload("in/long.jsonl", "in/line.jsonl"))
	if got := brief(r); got[4] != "manifests ok" || got[5] != "manifests fail" {
		t.Errorf("%v", got)
	}
}

func FuzzInspect(f *testing.F) {
	f.Add([]byte(good), true)
	f.Add([]byte("{}\n\n"), false)
	f.Fuzz(func(t *testing.T, start []byte, whole bool) {
		if err := inspect(start, whole); err != nil && err.Error() == "" {
			t.Fatal("an error that says nothing")
		}
	})
}
