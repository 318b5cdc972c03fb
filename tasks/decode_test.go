package tasks_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
)

func lookup(t *testing.T, name string) tasks.Kind {
	t.Helper()
	k, err := tasks.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, kind, payload, want string }{
		{"unknown field", "build-manifest", `{"sauce":{}}`, `unknown field "sauce"`},
		{"unknown field of a storage", "verify-connection", `{"storage":{"buckets":["a"]}}`, `unknown field "buckets"`},
		{"unknown field of an auth", "verify-connection", `{"storage":{"auth":{"password":"x"}}}`, `unknown field "password"`},
		{"unknown field of a need", "verify-connection", `{"need":{"delete":true}}`, `unknown field "delete"`},
		{"unknown field of annotations", "export-annotations", `{"annotations":{"file":"a"}}`, `unknown field "file"`},
		{"another kind's field", "build-manifest", `{"quality":3}`, `unknown field "quality"`},
		{"wrong type", "generate-thumbnails", `{"size":"256"}`, `size of type int`},
		{"fraction", "generate-thumbnails", `{"size":1.5}`, `number 1.5`},
		{"second object", "build-manifest", `{} {}`, `data after the JSON object`},
		{"trailing text", "build-manifest", `{}x`, `data after the JSON object`},
		{"cut short", "build-manifest", `{"source":`, `unexpected EOF`},
		{"array", "build-manifest", `[]`, `array`},
		{"nothing", "build-manifest", ``, `EOF`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j, err := lookup(t, c.kind).Decode([]byte(c.payload))
			if err == nil {
				t.Fatalf("Decode(%s) gave %+v, want an error", c.payload, j)
			}
			if j != nil || !strings.HasPrefix(err.Error(), c.kind+" payload: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Decode(%s) = %v, %q, want no job and %q", c.payload, j, err, c.want)
			}
		})
	}
}

func TestDecodeLeavesValidationToTheCaller(t *testing.T) {
	t.Parallel()
	for _, k := range tasks.Kinds() {
		j, err := k.Decode([]byte(" {} \n"))
		if err != nil || j.Kind() != k.Name {
			t.Fatalf("%s: Decode({}) = %v, %v", k.Name, j, err)
		}
		if j.Validate() == nil {
			t.Errorf("%s: an empty payload validates", k.Name)
		}
	}
}

func TestResultsRoundTrip(t *testing.T) {
	t.Parallel()
	for _, want := range []tasks.Result{
		tasks.VerifyConnectionResult{OK: true, Verdict: "good", Checks: []tasks.Check{
			{ID: "list", Status: tasks.CheckOK, Evidence: "3 objects"},
			{ID: "read", Status: tasks.CheckFail, Code: "AccessDenied", Fix: "Grant s3:GetObject."},
		}},
		tasks.BuildManifestResult{Key: "a/manifest.jsonl", Entries: 1 << 53, Skipped: 2, Failed: 3, BytesRead: 4, Size: 5, Unchanged: true},
		tasks.GenerateThumbnailsResult{Index: "i.jsonl", Written: 1, Unchanged: 2, Skipped: 3, Failed: 4},
		tasks.ExportAnnotationsResult{Key: "港.zip", Format: "coco-instances", Images: 1, Annotations: 2, Categories: 3, Failed: 4, Size: 5, SHA256: "6"},
	} {
		t.Run(want.Kind(), func(t *testing.T) {
			t.Parallel()
			k := lookup(t, want.Kind())
			data, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			got, err := k.DecodeResult(data)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("DecodeResult(%s) = %+v, %v, want %+v", data, got, err, want)
			}
			if s := got.Summary(); s == "" || strings.Contains(s, "\n") {
				t.Errorf("Summary is %q, want one line", s)
			}
			_, err = k.DecodeResult([]byte(`{"extra":1}`))
			if err == nil || !strings.Contains(err.Error(), k.Name+` result: `) || !strings.Contains(err.Error(), `"extra"`) {
				t.Errorf("an unknown field gave %v", err)
			}
		})
	}
}
