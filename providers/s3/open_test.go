package s3_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

func secretFile(t testing.TB, value string) (tasks.Secret, providers.Secrets) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
		t.Fatal(err)
	}
	ref, err := tasks.SecretRef("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	return ref, providers.Secrets{Allow: []string{"file:" + path}}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	secret, _ := secretFile(t, "value")
	for name, auth := range map[string]tasks.Auth{
		"AuthNotSupported": {Method: tasks.AuthKeyFile},
		"AuthNotAllowed":   {Method: tasks.AuthWorkerIdentity},
		"SecretNotAllowed": {Method: tasks.AuthAccessKey, AccessKeyID: "AKIA", SecretAccessKey: secret},
	} {
		_, err := (&s3.Opener{Client: http.DefaultClient}).Open(t.Context(), tasks.Storage{Provider: "s3", Bucket: "b", Auth: auth}, providers.Secrets{})
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Invalid || e.Code != name || e.Fix == "" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestBlockedByEgress(t *testing.T) {
	t.Parallel()
	s := tasks.Storage{Provider: "s3", Bucket: "b", Endpoint: "http://127.0.0.1:1", Auth: tasks.Auth{Method: tasks.AuthAnonymous}}
	b, err := (&s3.Opener{Client: egress.Policy{}.Client()}).Open(t.Context(), s, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Stat(t.Context(), "k")
	var e *providers.Error
	if !errors.As(err, &e) || e.Kind != providers.Blocked || !strings.Contains(e.Advice(), setting.EgressAllow.String()) || !strings.Contains(e.Error(), "127.0.0.1") {
		t.Errorf("got %v with advice %q", err, e.Advice())
	}
	var blocked *egress.BlockedError
	if !errors.As(err, &blocked) {
		t.Error("the typed error is lost")
	}
}

// aws sends what is meant for AWS to a handler on this machine.
type aws struct{ handler http.Handler }

func (a aws) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r.Body == nil { // a server's request always has one
		r = r.Clone(r.Context())
		r.Body = http.NoBody
	}
	a.handler.ServeHTTP(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

func TestRegionIsFound(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusOK, http.StatusMovedPermanently, http.StatusForbidden, http.StatusBadRequest} {
		var asked atomic.Int64
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead && r.URL.Path == "/pictures" {
				asked.Add(1)
				if r.Header.Get("Authorization") != "" {
					t.Error("the question for the region was signed")
				}
				w.Header().Set("X-Amz-Bucket-Region", "eu-central-1")
				w.WriteHeader(status)
				return
			}
			if r.URL.Host != "pictures.s3.eu-central-1.amazonaws.com" {
				t.Errorf("asked %s", r.URL.Host)
			}
			_, _ = w.Write([]byte(`<ListBucketResult><Name>pictures</Name></ListBucketResult>`))
		})
		b := openAWS(t, handler)
		for range 2 {
			for _, err := range b.List(t.Context(), providers.ListOptions{}) {
				t.Error(err)
			}
		}
		if asked.Load() != 1 {
			t.Errorf("asked %d times for the region", asked.Load())
		}
	}
}

func TestRegionIsNotFound(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]providers.Kind{404: providers.NotFound, 503: providers.Throttled, 400: providers.Invalid} {
		b := openAWS(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		_, err := b.Stat(t.Context(), "k")
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != kind || e.Op != "stat" || !strings.Contains(e.Advice(), "region") {
			t.Errorf("%d: got %v with advice %q", status, err, e.Advice())
		}
	}
}

func openAWS(t *testing.T, handler http.Handler) providers.Bucket {
	t.Helper()
	s := tasks.Storage{Provider: "s3", Bucket: "pictures", Auth: tasks.Auth{Method: tasks.AuthAnonymous}}
	b, err := (&s3.Opener{Client: &http.Client{Transport: aws{handler}}, Attempts: 1}).Open(t.Context(), s, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
