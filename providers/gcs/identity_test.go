package gcs_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/gcs"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// goodKey returns the fields of a valid key file, with a key made for the
// tests.
func goodKey(t testing.TB) map[string]any {
	t.Helper()
	return map[string]any{
		"type": "service_account", "client_email": "ann@example.iam.gserviceaccount.com", "private_key_id": "1",
		"private_key": privateKey(t), "token_uri": "https://oauth2.googleapis.com/token", "universe_domain": "googleapis.com",
	}
}

// requestCounter counts requests, and fails all of them.
type requestCounter struct{ n atomic.Int64 }

func (c *requestCounter) RoundTrip(*http.Request) (*http.Response, error) {
	c.n.Add(1)
	return nil, http.ErrServerClosed
}

// A key file is the payload's. Some of these, given to Google's library
// as they are, would send a file of the worker or a signed assertion to
// an address in them.
func TestKeyFilesAreRefused(t *testing.T) {
	t.Parallel()
	const attacker = "https://attacker.example/token"
	external := map[string]any{
		"type": "external_account", "audience": "a", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": attacker,
		"credential_source": map[string]any{"file": "/etc/passwd"},
	}
	disguised := maps.Clone(external)
	disguised["type"] = "Service_Account"
	with := func(field string, value any) map[string]any {
		k := goodKey(t)
		k[field] = value
		return k
	}
	without := func(field string) map[string]any {
		k := goodKey(t)
		delete(k, field)
		return k
	}
	for _, c := range []struct {
		name  string
		key   any
		code  string
		field string // in the detail
	}{
		{"ExternalFile", external, "KeyFileType", "type"},
		{"ExternalURL", map[string]any{"type": "external_account", "credential_source": map[string]any{"url": attacker}}, "KeyFileType", "type"},
		{"ExternalInDisguise", disguised, "KeyFileType", "type"},
		{"AuthorizedUser", map[string]any{"type": "authorized_user", "refresh_token": "r"}, "KeyFileType", "type"},
		{"Impersonated", map[string]any{"type": "impersonated_service_account", "service_account_impersonation_url": attacker}, "KeyFileType", "type"},
		{"NoType", without("type"), "KeyFileType", "type"},
		{"ForeignTokenURI", with("token_uri", attacker), "KeyFileTokenURI", "token_uri"},
		{"TokenURIWithUser", with("token_uri", "https://oauth2.googleapis.com@attacker.example/token"), "KeyFileTokenURI", "token_uri"},
		{"MetadataTokenURI", with("token_uri", "http://169.254.169.254/token"), "KeyFileTokenURI", "token_uri"},
		{"ForeignUniverse", with("universe_domain", "attacker.example"), "KeyFileUniverse", "universe_domain"},
		{"NoEmail", without("client_email"), "KeyFileEmail", "client_email"},
		{"PersonsEmail", with("client_email", "ann@gmail.com"), "KeyFileEmail", "client_email"},
		{"NoKey", without("private_key"), "KeyFilePrivateKey", "private_key"},
		{"JunkKey", with("private_key", "-----BEGIN PRIVATE KEY-----\nanVuaw==\n-----END PRIVATE KEY-----\n"), "KeyFilePrivateKey", "private_key"},
		{"EscapedTwice", with("private_key", strings.ReplaceAll(privateKey(t), "\n", `\n`)), "KeyFilePrivateKey", "private_key"},
		{"Array", []string{"x"}, "KeyFileFormat", "key_file"},
		{"NotJSON", nil, "KeyFileFormat", "key_file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			data, err := json.Marshal(c.key)
			if err != nil {
				t.Fatal(err)
			}
			if c.key == nil {
				data = []byte("AKIA not json")
			}
			s, secrets := storage(t, "", "b", string(data))
			sent := &requestCounter{}
			_, err = (&gcs.Opener{Client: &http.Client{Transport: sent}, WorkerIdentity: true}).Open(t.Context(), s, secrets)
			e := wantError(t, err, providers.Invalid, c.code)
			if !strings.Contains(e.Detail, c.field) || e.Fix == "" || e.Op != "open" || e.Bucket != "b" {
				t.Errorf("got %+v", e)
			}
			if text := e.Error() + e.Fix; strings.Contains(text, "attacker") || strings.Contains(text, "PRIVATE") || strings.Contains(text, "AKIA") {
				t.Errorf("the error repeats the key file: %s", text)
			}
			if sent.n.Load() != 0 {
				t.Errorf("%d requests were made", sent.n.Load())
			}
		})
	}
}

// A valid key is exchanged at Google's token endpoint, through the
// guarded client, whichever of Google's addresses the file holds.
func TestTokensComeFromGoogle(t *testing.T) {
	t.Parallel()
	for _, uri := range []any{"", "https://accounts.google.com/o/oauth2/token", "https://oauth2.googleapis.com/token"} {
		key := goodKey(t)
		key["token_uri"] = uri
		data, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		var requested []string
		client := &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			requested = append(requested, r.URL.String())
			return nil, http.ErrServerClosed
		})}
		s, secrets := storage(t, "", "b", string(data))
		b := open(t, &gcs.Opener{Client: client, Attempts: 1}, s, secrets)
		if _, err := b.Stat(t.Context(), "k"); providers.KindOf(err) != providers.Unavailable {
			t.Errorf("got %v", err)
		}
		if len(requested) != 1 || requested[0] != "https://oauth2.googleapis.com/token" {
			t.Errorf("requests to %q", requested)
		}
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestWorkerIdentity_MustBeAllowed(t *testing.T) {
	t.Parallel()
	worker := tasks.Auth{Method: tasks.AuthWorkerIdentity}
	impersonation := tasks.Auth{Method: tasks.AuthImpersonation, ServiceAccount: "ann@example.iam.gserviceaccount.com"}
	impersonate := func(email string) tasks.Auth {
		return tasks.Auth{Method: tasks.AuthImpersonation, ServiceAccount: email}
	}
	for _, c := range []struct {
		name     string
		auth     tasks.Auth
		endpoint string
		allowed  bool
		kind     providers.Kind
		code     string
		fix      string
	}{
		{"WorkerNotAllowed", worker, "", false, providers.Denied, "WorkerIdentityNotAllowed", setting.WorkerIdentity.String()},
		{"ImpersonationNotAllowed", impersonation, "", false, providers.Denied, "WorkerIdentityNotAllowed", setting.WorkerIdentity.String()},
		{"WorkerElsewhere", worker, "https://attacker.example", true, providers.Denied, "WorkerIdentityEndpoint", "storage.endpoint"},
		{"ImpersonationElsewhere", impersonation, "https://attacker.example", true, providers.Denied, "WorkerIdentityEndpoint", "storage.endpoint"},
		{"EmailWithMethod", impersonate("ann@example.iam.gserviceaccount.com:signBlob?x="), "", true, providers.Invalid, "ServiceAccountEmail", "auth.service_account"},
		{"EmailWithPath", impersonate("../../ann@example.iam.gserviceaccount.com"), "", true, providers.Invalid, "ServiceAccountEmail", "auth.service_account"},
		{"EmailOfPerson", impersonate("ann@gmail.com"), "", true, providers.Invalid, "ServiceAccountEmail", "auth.service_account"},
		{"OtherMethod", tasks.Auth{Method: tasks.AuthSAS}, "", true, providers.Invalid, "AuthNotSupported", "key-file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sent := &requestCounter{}
			o := &gcs.Opener{Client: &http.Client{Transport: sent}, WorkerIdentity: c.allowed}
			_, err := o.Open(t.Context(), tasks.Storage{Provider: "gcs", Bucket: "b", Endpoint: c.endpoint, Auth: c.auth}, providers.Secrets{})
			if e := wantError(t, err, c.kind, c.code); !strings.Contains(e.Fix, c.fix) {
				t.Errorf("fix %q", e.Fix)
			}
			if sent.n.Load() != 0 {
				t.Errorf("%d requests were made", sent.n.Load())
			}
		})
	}
}

func TestEndpointWithPath(t *testing.T) {
	t.Parallel()
	o := &gcs.Opener{Client: &http.Client{Transport: &requestCounter{}}}
	_, err := o.Open(t.Context(), anonymous("https://storage.example/elsewhere", "b"), providers.Secrets{})
	if e := wantError(t, err, providers.Invalid, "EndpointPath"); !strings.Contains(e.Fix, "storage.endpoint") {
		t.Errorf("fix %q", e.Fix)
	}
	for _, endpoint := range []string{"", "https://storage.googleapis.com/", "https://storage.googleapis.com/storage/v1/"} {
		b, err := o.Open(t.Context(), anonymous(endpoint, "pictures"), providers.Secrets{})
		if err != nil {
			t.Fatal(err)
		}
		at, ok := b.(interface {
			Endpoint() string
			CORSTarget() string
		})
		if !ok || at.Endpoint() != "https://storage.googleapis.com" || at.CORSTarget() != "https://storage.googleapis.com/pictures" {
			t.Errorf("%q: got %+v", endpoint, at)
		}
	}
}

// rerouted returns a client that sends requests for Google to the
// emulator.
func rerouted(t testing.TB, server servers.GCSServer) *http.Client {
	t.Helper()
	client := guarded(t)
	to, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	next := client.Transport
	client.Transport = roundTripFunc(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Host, ".googleapis.com") {
			r = r.Clone(r.Context())
			r.URL.Scheme, r.URL.Host = to.Scheme, to.Host
		}
		return next.RoundTrip(r)
	})
	return client
}

// Not parallel: it sets the environment variable in which Google's
// library looks for the worker's own identity.
func TestWorkerIdentity(t *testing.T) {
	server := servers.GCS(t)
	target := server.Account(t, servers.GCSAccount{})
	own := server.Account(t, servers.GCSAccount{ActsAs: []string{target.Email}})
	setIdentity(t, server, own)
	list := []string{"storage.objects.list", "storage.objects.get"}
	bucket := server.Bucket(t, servers.GCSBucket{Grants: map[string][]string{target.Email: list}})
	o := &gcs.Opener{Client: rerouted(t, server), WorkerIdentity: true, Attempts: 2}
	for _, c := range []struct {
		name string
		auth tasks.Auth
		kind providers.Kind
		code string
		fix  string
	}{
		{"Own", tasks.Auth{Method: tasks.AuthWorkerIdentity}, providers.Denied, "forbidden", "serviceAccount:" + own.Email},
		{"Impersonation", tasks.Auth{Method: tasks.AuthImpersonation, ServiceAccount: target.Email}, providers.NotFound, "notFound", ""},
		{"ImpersonationNotGranted", tasks.Auth{Method: tasks.AuthImpersonation, ServiceAccount: own.Email}, providers.Unauthenticated, "PERMISSION_DENIED", "roles/iam.serviceAccountTokenCreator"},
	} {
		b := open(t, o, tasks.Storage{Provider: "gcs", Bucket: bucket, Auth: c.auth}, providers.Secrets{})
		_, err := b.Stat(t.Context(), "k")
		if e := wantError(t, err, c.kind, c.code); !strings.Contains(e.Advice(), c.fix) {
			t.Errorf("%s: fix %q", c.name, e.Advice())
		}
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", t.TempDir()+"/secret-place.json")
	b := open(t, o, tasks.Storage{Provider: "gcs", Bucket: bucket, Auth: tasks.Auth{Method: tasks.AuthWorkerIdentity}}, providers.Secrets{})
	_, err := b.Stat(t.Context(), "k")
	if e := wantError(t, err, providers.Unauthenticated, "NoWorkerIdentity"); strings.Contains(e.Error(), "secret-place") {
		t.Errorf("the error shows a path of the worker: %v", e)
	}
}

// Not parallel: it sets environment variables that would make the SDK
// send requests, with credentials, to another server.
func TestEnvironmentIsIgnored(t *testing.T) {
	t.Setenv("STORAGE_EMULATOR_HOST", "http://elsewhere.example")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/elsewhere.json")
	for _, endpoint := range []string{"", "https://storage.example"} {
		var requested []string
		client := &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			requested = append(requested, r.URL.Scheme+"://"+r.URL.Host+r.Header.Get("Authorization"))
			return nil, http.ErrServerClosed
		})}
		b := open(t, &gcs.Opener{Client: client, Attempts: 1, WorkerIdentity: true}, anonymous(endpoint, "b"), providers.Secrets{})
		if errs := providertest.Operations(t.Context(), b); len(errs) != 5 {
			t.Errorf("got %v", errs)
		}
		want := endpoint
		if want == "" {
			want = "https://storage.googleapis.com"
		}
		for _, at := range requested {
			if at != want {
				t.Errorf("a request to %s, want %s", at, want)
			}
		}
	}
}
