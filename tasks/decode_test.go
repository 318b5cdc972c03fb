package tasks_test

import (
	"encoding/json"
	"errors"
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
		{"unknown field", "build-manifest", `{"sauce":{}}`, `: sauce: unknown field: did you mean source?`},
		{"unknown field of a storage", "verify-connection", `{"storage":{"buckets":["a"]}}`, `: storage.buckets: unknown field: did you mean bucket?`},
		{"unknown field of an auth", "verify-connection", `{"storage":{"auth":{"password":"x"}}}`, `: storage.auth.password: unknown field: the fields are method, access_key_id, `},
		{"unknown field of a need", "verify-connection", `{"need":{"delete":true}}`, `: need.delete: unknown field: the fields are read, write, `},
		{"unknown field of annotations", "export-annotations", `{"annotations":{"file":"a"}}`, `: annotations.file: unknown field: the fields are storage, key, `},
		{"another kind's field", "build-manifest", `{"quality":3}`, `: quality: unknown field: the fields are source, `},
		{"wrong type", "generate-thumbnails", `{"size":"256"}`, `: size: needs a number, not a string`},
		{"fraction", "generate-thumbnails", `{"size":1.5}`, `: size: needs a whole number, not 1.5`},
		{"another depth", "build-manifest", `{"bucket":"b"}`, `: bucket: unknown field: did you mean source.bucket or destination.bucket or inventory.storage.bucket or order.storage.bucket?`},
		{"spelled as JavaScript has it", "verify-connection", `{"storage":{"auth":{"accessKeyId":"A"}}}`, `: storage.auth.accessKeyId: unknown field: did you mean access_key_id?`},
		{"no time", "build-manifest", `{"deadline":"tomorrow"}`, `: deadline: needs a time with its zone, for example 2026-11-23T08:00:00Z`},
		{"no list", "build-manifest", `{"exclude":"a/"}`, `: exclude: needs an array, [...], not a string`},
		{"in a list", "build-manifest", `{"exclude":["a/",2]}`, `: exclude[1]: needs a string, not a number`},
		{"no boolean", "verify-connection", `{"need":{"read":"yes"}}`, `: need.read: needs true or false, not a string`},
		{"too large", "generate-thumbnails", `{"size":1e99}`, `: size: needs a whole number, not 1e99`},
		{"all at once", "build-manifest", "{\"source\":{\"buckett\":\"b\",\"prefix\":[]},\n\"exclude\":{}}",
			`: source.buckett: unknown field: did you mean bucket?; source.prefix: needs a string, not an array; exclude: needs an array, [...], not an object`},
		{"on a later line", "build-manifest", "{\n  \"source\": {},\n  é}", `: is not JSON: line 3, column 3: invalid character`},
		{"second object", "build-manifest", `{} {}`, `: is not JSON: line 1, column 4: invalid character '{' after top-level value`},
		{"trailing text", "build-manifest", `{}x`, `: is not JSON: line 1, column 3: invalid character 'x' after top-level value`},
		{"cut short", "build-manifest", `{"source":`, `: is not JSON: it ends before its last brace or bracket`},
		{"array", "build-manifest", `[]`, `: needs an object, {...}, not an array`},
		{"nothing", "build-manifest", ``, `: is empty: give a JSON object`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j, err := lookup(t, c.kind).Decode([]byte(c.payload))
			if err == nil {
				t.Fatalf("Decode(%s) gave %+v, want an error", c.payload, j)
			}
			var invalid *tasks.InvalidError
			if j != nil || !errors.As(err, &invalid) || !strings.HasPrefix(err.Error(), c.kind+" payload: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Decode(%s) = %v, %q, want no job and %q", c.payload, j, err, c.want)
			}
		})
	}
}

// The bucket of a verification may be called source, as in all other
// payloads.
func TestDecodeTakesSourceForStorage(t *testing.T) {
	t.Parallel()
	k := lookup(t, "verify-connection")
	a, b := []byte(`{"source":{"provider":"file","bucket":"/a"}}`), []byte(`{"storage":{"provider":"file","bucket":"/a"}}`)
	j, err := k.Decode(a)
	if err != nil || j.Validate() != nil || !k.Same(a, b) {
		t.Errorf("%+v, %v", j, err)
	}
	for _, data := range []string{`{"source":{},"storage":{}}`, `{"sauce":{}}`} {
		if _, err := k.Decode([]byte(data)); err == nil || !strings.Contains(err.Error(), "unknown field") {
			t.Errorf("%s: %v", data, err)
		}
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
			if err == nil || !strings.Contains(err.Error(), k.Name+` result: `) || !strings.Contains(err.Error(), `extra: unknown field`) {
				t.Errorf("an unknown field gave %v", err)
			}
		})
	}
}
