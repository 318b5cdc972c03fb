package tasks_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// canary is the value of a secret in these tests. Nothing may show it.
const canary = "c4n4ryc4n4ryc4n4ry"

func ref(t *testing.T, reference string) tasks.Secret {
	t.Helper()
	s, err := tasks.SecretRef(reference)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNoVerbShowsASecret(t *testing.T) {
	t.Parallel()
	s := ref(t, "env:"+canary)
	auth := tasks.Auth{Method: "access-key", SecretAccessKey: s}
	values := map[string]any{
		"value": s, "pointer": &s, "slice": []tasks.Secret{s}, "map": map[string]tasks.Secret{"k": s},
		"struct": auth, "pointer to struct": &auth, "payload": tasks.BuildManifest{Source: tasks.Storage{Auth: auth}},
		"interface": []any{s, auth},
	}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s"} {
			out := fmt.Sprintf(verb, v)
			shown := strings.Contains(out, canary) || strings.Contains(out, fmt.Sprintf("%x", canary))
			// A storage prints as its URL, without its auth.
			if shown || name != "payload" && !strings.Contains(out, "[redacted]") {
				t.Errorf("%s of %s is %s", verb, name, out)
			}
		}
	}
}

func TestNoLogShowsASecret(t *testing.T) {
	t.Parallel()
	s := ref(t, "file:/run/"+canary)
	var out bytes.Buffer
	for name, handler := range map[string]slog.Handler{"text": slog.NewTextHandler(&out, nil), "json": slog.NewJSONHandler(&out, nil)} {
		out.Reset()
		slog.New(handler).Info("m", "value", s, "pointer", &s, slog.Group("g", "inner", s))
		if text := out.String(); strings.Contains(text, canary) || strings.Count(text, "[redacted]") != 3 {
			t.Errorf("%s log: %s", name, text)
		}
	}
	out.Reset()
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "auth", tasks.Auth{KeyFile: s}, "pointer", &tasks.Auth{KeyFile: s})
	if text := out.String(); strings.Contains(text, canary) || strings.Count(text, "[redacted]") == 0 {
		t.Errorf("text log of a struct: %s", text)
	}
}

func TestSecretReferencesRoundTrip(t *testing.T) {
	t.Parallel()
	for _, reference := range []string{"env:A", "env:_a9", "file:/run/secrets/key.json", "file:/鍵", ""} {
		in := tasks.Auth{KeyFile: ref(t, reference)}
		data, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		if reference == "" && string(data) != `{}` {
			t.Errorf("no secret is written as %s, want nothing", data)
		}
		var out tasks.Auth
		if err := json.Unmarshal(data, &out); err != nil || out != in || out.KeyFile.Reference() != reference {
			t.Errorf("%q came back through %s as %q, %v", reference, data, out.KeyFile.Reference(), err)
		}
	}
}

func TestSecretRefRefusesValues(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		canary, "env:", "env:a b" + canary, "env:a-" + canary, "file:", "file:" + canary, "file:/", "file:/../" + canary,
		"file:/a//" + canary, "ENV:" + canary, " env:" + canary, "env:" + canary + "\n", `{"key":"` + canary + `"}`,
	} {
		s, err := tasks.SecretRef(value)
		if err == nil || !s.IsZero() || strings.Contains(err.Error(), canary) {
			t.Errorf("SecretRef(%q) = %v, %v", value, s, err)
		}
	}
}

// A plain value is dropped while it is decoded. The payload only says
// that one was given.
func TestPlainSecretsAreDropped(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"string": `"` + canary + `"`, "object": `{"private_key":"` + canary + `"}`, "array": `["` + canary + `"]`,
		"number": `1234`, "true": `true`, "almost a reference": `"env:` + canary + ` "`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			payload := `{"source":{"provider":"gcs","bucket":"b","auth":{"method":"key-file","key_file":` + value + `}}}`
			j, err := lookup(t, "build-manifest").Decode([]byte(payload))
			if err != nil {
				t.Fatal(err)
			}
			wantFaults(t, j, "source.auth.key_file: must be a reference, env:NAME or file:/path, or be sealed (the value given is not shown)")
			s := j.(tasks.BuildManifest).Source.Auth.KeyFile
			if s.Reference() != "" || s.IsZero() {
				t.Errorf("the secret is %q, zero %v; want a dropped value", s.Reference(), s.IsZero())
			}
			data, err := json.Marshal(j)
			if err == nil {
				t.Errorf("a payload with a plain secret was written as %s", data)
			}
			var log bytes.Buffer
			slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "job", j)
			for what, text := range map[string]string{
				"JSON": string(data), "JSON error": fmt.Sprint(err), "fault": j.Validate().Error(), "Go syntax": fmt.Sprintf("%#v", j), "log": log.String(),
			} {
				if strings.Contains(text, canary) {
					t.Errorf("%s shows the secret: %s", what, text)
				}
			}
		})
	}
}

func TestNullIsNoSecret(t *testing.T) {
	t.Parallel()
	var a tasks.Auth
	if err := json.Unmarshal([]byte(`{"sas_token":null,"key_file":""}`), &a); err != nil || a != (tasks.Auth{}) {
		t.Errorf("got %+v, %v", a, err)
	}
}
