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

// Where a bucket says that its tokens come from is where it asks for them.
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
		var asked []string
		client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.String())
			return nil, http.ErrServerClosed
		})}
		s, secrets := storage(t, "", "b", string(key))
		b := open(t, &gcs.Opener{Client: client, TokenURL: tokenURL, Attempts: 1}, s, secrets)
		if got := signInOf(b); got != want {
			t.Errorf("got %+v", got)
		}
		if _, err := b.Stat(t.Context(), "k"); err == nil || !slices.Equal(asked, []string{want.URL}) {
			t.Errorf("asked %q: %v", asked, err)
		}
	}
}

// The worker's own tokens are its own affair; those of the account that it
// acts as are not.
func TestSignInOfTheWorker(t *testing.T) {
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

// tokens is Google with tokens for everybody, until a key is deleted, and
// without objects.
type tokens struct {
	given   atomic.Int64
	deleted atomic.Bool
	used    atomic.Value // the last token that was sent
}

func (n *tokens) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Host == "oauth2.googleapis.com" && n.deleted.Load():
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.WriteString(`{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}`)
	case r.URL.Host == "oauth2.googleapis.com":
		_, _ = fmt.Fprintf(w, `{"access_token": "token-%d", "token_type": "Bearer", "expires_in": 3600}`, n.given.Add(1))
	case strings.HasSuffix(r.URL.Path, "/o"):
		_, _ = w.WriteString(`{"kind": "storage#objects"}`)
	default:
		n.used.Store(r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.WriteString(inJSON(http.StatusNotFound, "notFound", "No such object: b/k"))
	}
	return w.Result(), nil
}

// Every shard of a job opens its bucket again. One token serves them all, but
// nobody who lacks the key. A verification gets a new one; if it gets none,
// the jobs that run keep theirs.
func TestTokenIsShared(t *testing.T) {
	t.Parallel()
	n := &tokens{}
	o := &gcs.Opener{Client: &http.Client{Transport: n}, Attempts: 1}
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
		if providers.KindOf(err) != providers.NotFound || n.given.Load() != given {
			t.Errorf("%d tokens, want %d; %v", n.given.Load(), given, err)
		}
	}
	want("b", same, 1)
	want("b", same, 1)
	want("other", same, 1)
	want("b", otherKey, 2)
	want("b", otherID, 3)
	want("b", otherAccount, 4)
	want("b", same, 4)
	if checks := providers.Probe(t.Context(), bucketOf("b", same), tasks.Need{}); checks[0].Status != tasks.CheckOK || n.given.Load() != 5 {
		t.Errorf("%d tokens after a verification: %+v", n.given.Load(), checks)
	}
	want("b", same, 5)
	if n.used.Load() != "Bearer token-5" {
		t.Errorf("used %v after a verification", n.used.Load())
	}
	n.deleted.Store(true)
	if c := providers.Probe(t.Context(), bucketOf("b", same), tasks.Need{})[0]; c.Status != tasks.CheckFail || c.Code != "invalid_grant" {
		t.Errorf("got %+v", c)
	}
	want("b", same, 5)
}
