package gcs_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/gcs"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func signInOf(b providers.Bucket) providers.SignIn {
	return b.(interface{ SignIn() providers.SignIn }).SignIn()
}

// SignIn returns the server that the bucket requests its tokens from.
func TestSignIn(t *testing.T) {
	t.Parallel()
	key, err := json.Marshal(goodKey(t))
	if err != nil {
		t.Fatal(err)
	}
	for tokenURL, want := range map[string]providers.SignIn{
		"":                            {URL: "https://oauth2.googleapis.com/token", Source: "is Google's own"},
		"https://tokens.example/give": {URL: "https://tokens.example/give", Source: "is set with the setting gcs-token-url on the workers"},
	} {
		var requested []string
		client := &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			requested = append(requested, r.URL.String())
			return nil, http.ErrServerClosed
		})}
		s, secrets := storage(t, "", "b", string(key))
		b := open(t, &gcs.Opener{Client: client, TokenURL: tokenURL, Attempts: 1}, s, secrets)
		if got := signInOf(b); got != want {
			t.Errorf("got %+v", got)
		}
		if _, err := b.Stat(t.Context(), "k"); err == nil || !slices.Equal(requested, []string{want.URL}) {
			t.Errorf("requests to %q: %v", requested, err)
		}
	}
}

// SignIn returns no server for the worker's own tokens, because Stevedore
// does not choose it.
func TestSignIn_OtherMethods(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]string{
		tasks.AuthImpersonation: "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/", tasks.AuthWorkerIdentity: "", tasks.AuthAnonymous: "",
	} {
		s := tasks.Storage{Provider: "gcs", Bucket: "b", Auth: tasks.Auth{Method: method}}
		if method == tasks.AuthImpersonation {
			s.Auth.ServiceAccount = "ann@example.iam.gserviceaccount.com"
		}
		b := open(t, &gcs.Opener{Client: guarded(t), WorkerIdentity: true, TokenURL: "https://tokens.example"}, s, providers.Secrets{})
		if got := signInOf(b); got.URL != want || (got.Source == "") != (want == "") {
			t.Errorf("%s: got %+v", method, got)
		}
	}
}

// tokenServer answers for Google. It has a token for every key until
// deleted is set, and no objects.
type tokenServer struct {
	given   atomic.Int64
	deleted atomic.Bool
	used    atomic.Value // the last token that was sent
}

func (s *tokenServer) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Host == "oauth2.googleapis.com" && s.deleted.Load():
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.WriteString(`{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}`)
	case r.URL.Host == "oauth2.googleapis.com":
		_, _ = fmt.Fprintf(w, `{"access_token": "token-%d", "token_type": "Bearer", "expires_in": 3600}`, s.given.Add(1))
	case strings.HasSuffix(r.URL.Path, "/o"):
		_, _ = w.WriteString(`{"kind": "storage#objects"}`)
	default:
		s.used.Store(r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.WriteString(inJSON(http.StatusNotFound, "notFound", "No such object: b/k"))
	}
	return w.Result(), nil
}

// Every shard of a job opens its bucket again, and all of them share one
// token. A bucket with another key gets another token. A verification
// fetches a new token. If that fails, running jobs go on with the old
// one.
func TestTokenIsShared(t *testing.T) {
	t.Parallel()
	google := &tokenServer{}
	o := &gcs.Opener{Client: &http.Client{Transport: google}, Attempts: 1}
	bucketOf := func(name string, change func(map[string]any)) providers.Bucket {
		key := goodKey(t)
		change(key)
		text, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		s, secrets := storage(t, "", name, string(text))
		return open(t, o, s, secrets)
	}
	same := func(map[string]any) {}
	otherKey := func(k map[string]any) { k["private_key"] = privateKey(t) + "\n" }
	otherID := func(k map[string]any) { k["private_key_id"] = "2" }
	otherAccount := func(k map[string]any) { k["client_email"] = "bob@example.iam.gserviceaccount.com" }
	want := func(name string, change func(map[string]any), given int64) {
		t.Helper()
		_, err := bucketOf(name, change).Stat(t.Context(), "k")
		if providers.KindOf(err) != providers.NotFound || google.given.Load() != given {
			t.Errorf("%d tokens, want %d; %v", google.given.Load(), given, err)
		}
	}
	want("b", same, 1)
	want("b", same, 1)
	want("other", same, 1)
	want("b", otherKey, 2)
	want("b", otherID, 3)
	want("b", otherAccount, 4)
	want("b", same, 4)
	if checks := providers.Probe(t.Context(), bucketOf("b", same), tasks.Need{}); checks[0].Status != tasks.CheckOK || google.given.Load() != 5 {
		t.Errorf("%d tokens after a verification: %+v", google.given.Load(), checks)
	}
	want("b", same, 5)
	if google.used.Load() != "Bearer token-5" {
		t.Errorf("used %v after a verification", google.used.Load())
	}
	google.deleted.Store(true)
	if c := providers.Probe(t.Context(), bucketOf("b", same), tasks.Need{})[0]; c.Status != tasks.CheckFail || c.Code != "invalid_grant" {
		t.Errorf("got %+v", c)
	}
	want("b", same, 5)
}
