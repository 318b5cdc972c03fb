package gcs

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// testServer is an emulator with a bucket "b" of this specification.
// Its only object is "a".
type testServer struct {
	*testing.T
	server *Server
	root   string // a token
}

func newServer(t *testing.T, b bucket) testServer {
	t.Helper()
	s, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.accounts.set("root", account{Root: true}); err != nil {
		t.Fatal(err)
	}
	s.putBucket("b", b)
	ts := testServer{T: t, server: s, root: s.accounts.issue(emailOf("root"))}
	answer := ts.do("POST", "/upload/storage/v1/b/b/o?uploadType=media&name=a", ts.root, "text")
	if answer.Code != http.StatusOK {
		t.Fatalf("upload: %d %s", answer.Code, answer.Body)
	}
	return ts
}

// do sends one request with a token; an empty token is an anonymous
// request.
func (s testServer) do(method, target, token, body string) *httptest.ResponseRecorder {
	s.Helper()
	r := httptest.NewRequestWithContext(s.Context(), method, target, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer := httptest.NewRecorder()
	s.server.ServeHTTP(answer, r)
	return answer
}

const (
	listURL   = "/storage/v1/b/b/o"
	statURL   = "/storage/v1/b/b/o/a"
	readURL   = "/b/a" // of the XML API
	uploadURL = "/upload/storage/v1/b/b/o?uploadType=media&name=a"
)

func TestServer_Permissions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		granted     []string
		method, url string
		want        int
	}{
		"list":            {[]string{"storage.objects.list"}, "GET", listURL, 200},
		"list, denied":    {[]string{"storage.objects.get"}, "GET", listURL, 403},
		"read":            {[]string{"storage.objects.get"}, "GET", readURL, 200},
		"read, denied":    {[]string{"storage.objects.list"}, "GET", readURL, 403},
		"stat":            {[]string{"storage.objects.get"}, "GET", statURL, 200},
		"replace, denied": {[]string{"storage.objects.create"}, "POST", uploadURL, 403},
		"replace": {
			[]string{"storage.objects.create", "storage.objects.delete"}, "POST", uploadURL, 200,
		},
		"create": {
			[]string{"storage.objects.create"}, "POST", strings.Replace(uploadURL, "=a", "=new", 1), 200,
		},
		"missing": {
			[]string{"storage.objects.get", "storage.objects.list"}, "GET", statURL + "x", 404,
		},
		"missing, hidden": {[]string{"storage.objects.get"}, "GET", statURL + "x", 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, bucket{Grants: map[string][]string{emailOf("ann"): c.granted}})
			token := s.server.accounts.issue(emailOf("ann"))
			if answer := s.do(c.method, c.url, token, "text"); answer.Code != c.want {
				t.Errorf("status %d, want %d: %s", answer.Code, c.want, answer.Body)
			}
		})
	}
}

func TestServer_Anonymous(t *testing.T) {
	t.Parallel()
	public := map[string][]string{"allUsers": {"storage.objects.get"}}
	s := newServer(t, bucket{Grants: public})
	if answer := s.do("GET", readURL, "", ""); answer.Code != 200 || answer.Body.String() != "text" {
		t.Errorf("public bucket: %d %s", answer.Code, answer.Body)
	}
	s.server.putBucket("b", bucket{Grants: public, NoPublic: true})
	answer := s.do("GET", readURL, "", "")
	if answer.Code != 401 || !strings.Contains(answer.Body.String(), "<Code>AccessDenied</Code>") {
		t.Errorf("public access prevented: %d %s", answer.Code, answer.Body)
	}
}

func TestServer_RequesterPays(t *testing.T) {
	t.Parallel()
	ann := emailOf("ann")
	s := newServer(t, bucket{
		RequesterPays: true,
		Grants:        map[string][]string{ann: {"storage.objects.get"}},
		Billers:       map[string][]string{ann: {"mine"}},
	})
	token := s.server.accounts.issue(ann)
	for project, want := range map[string]int{"": 400, "other": 403, "mine": 200} {
		if answer := s.do("GET", statURL+"?userProject="+project, token, ""); answer.Code != want {
			t.Errorf("project %q: status %d, want %d: %s", project, answer.Code, want, answer.Body)
		}
	}
}

func TestServer_Preconditions(t *testing.T) {
	t.Parallel()
	s := newServer(t, bucket{})
	for _, method := range []string{"GET", "DELETE"} {
		if answer := s.do(method, statURL+"?ifGenerationMatch=1", s.root, ""); answer.Code != 412 {
			t.Errorf("%s: status %d, want 412: %s", method, answer.Code, answer.Body)
		}
	}
}

func TestServer_KMSKey(t *testing.T) {
	t.Parallel()
	s := newServer(t, bucket{KMSKey: "projects/p/keys/k"})
	for _, url := range []string{listURL, statURL} {
		answer := s.do("GET", url, s.root, "")
		if !strings.Contains(answer.Body.String(), `"kmsKeyName":"projects/p/keys/k"`) {
			t.Errorf("%s: %s", url, answer.Body)
		}
	}
}

func TestServer_Faults(t *testing.T) {
	t.Parallel()
	s := newServer(t, bucket{
		Grants: map[string][]string{"allUsers": {"storage.objects.get", "storage.objects.list"}},
		Faults: map[string]fault{"get": {Status: 503, Body: "busy"}},
	})
	if answer := s.do("GET", readURL, "", ""); answer.Code != 503 || answer.Body.String() != "busy" {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if answer := s.do("GET", listURL, "", ""); answer.Code != 200 {
		t.Errorf("another operation: %d %s", answer.Code, answer.Body)
	}
	if answer := s.do("GET", readURL, s.root, ""); answer.Code != 200 {
		t.Errorf("root: %d %s", answer.Code, answer.Body)
	}
}

func TestServer_Preflight(t *testing.T) {
	t.Parallel()
	s := newServer(t, bucket{CORS: []corsRule{{
		Origin: []string{"https://app.example"}, Method: []string{"GET"}, ResponseHeader: []string{"Range"},
	}}})
	ask := func(url, origin, headers string) string {
		r := httptest.NewRequestWithContext(t.Context(), "OPTIONS", url, nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "GET")
		r.Header.Set("Access-Control-Request-Headers", headers)
		answer := httptest.NewRecorder()
		s.server.ServeHTTP(answer, r)
		return answer.Header().Get("Access-Control-Allow-Origin")
	}
	for _, c := range []struct{ url, origin, headers, want string }{
		{readURL, "https://app.example", "range", "https://app.example"},
		{readURL, "https://app.example", "range, x-other", ""},
		{readURL, "https://other.example", "range", ""},
		{statURL, "https://other.example", "x-other", "*"},
	} {
		if got := ask(c.url, c.origin, c.headers); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestServer_Impersonation(t *testing.T) {
	t.Parallel()
	s := newServer(t, bucket{})
	if _, err := s.server.accounts.set("ann", account{ActsAs: []string{emailOf("bot")}}); err != nil {
		t.Fatal(err)
	}
	token := s.server.accounts.issue(emailOf("ann"))
	for target, want := range map[string]int{"bot": 200, "root": 403} {
		url := impersonationPath + emailOf(target) + ":generateAccessToken"
		if answer := s.do("POST", url, token, ""); answer.Code != want {
			t.Errorf("%s: status %d, want %d", target, answer.Code, want)
		}
	}
}

func TestRegister_BucketsAndAccounts(t *testing.T) {
	t.Parallel()
	s := newServer(t, bucket{})
	mux := http.NewServeMux()
	s.server.Register(mux)
	post := func(url, body string) string { return request(t.Context(), mux, "POST", url, body) }

	post("/gcs/buckets/new", `{"requester_pays": true}`)
	if !s.server.buckets["new"].RequesterPays {
		t.Error("the bucket was not made")
	}
	var keyFile map[string]string
	if err := json.Unmarshal([]byte(post("/gcs/accounts/ann", "")), &keyFile); err != nil {
		t.Fatal(err)
	}
	if keyFile["client_email"] != emailOf("ann") ||
		!strings.HasPrefix(keyFile["private_key"], "-----BEGIN PRIVATE KEY-----") {
		t.Errorf("key file %v", keyFile)
	}
	request(t.Context(), mux, "DELETE", "/gcs/accounts/ann", "")
	if _, ok := s.server.accounts.find(emailOf("ann")); ok {
		t.Error("the account was not removed")
	}
}

// request sends one request to a handler and returns the body of the
// answer.
func request(ctx context.Context, to http.Handler, method, url, body string) string {
	answer := httptest.NewRecorder()
	to.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, method, url, strings.NewReader(body)))
	text, _ := io.ReadAll(answer.Body)
	return string(text)
}
