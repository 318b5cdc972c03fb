package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// canaryPEM returns a private key. It does not contain core, so the
// search looks for parts of it.
var canaryPEM = sync.OnceValue(func() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
})

// pemParts returns parts of the private key: near its beginning, its
// middle and its end.
func pemParts() []string {
	lines := strings.Split(strings.TrimSpace(canaryPEM()), "\n")
	return []string{lines[2][10:30], lines[len(lines)/2][10:30], lines[len(lines)-3][10:30]}
}

// refusedName is the account or tenant to which the sign-in servers
// give no token.
const refusedName = "refused"

// echoClouds serves as Google and as Azure, with their sign-in
// services. Like echoS3 it answers with the whole request and the
// secret of the caller.
type echoClouds struct {
	*httptest.Server
	secrets sync.Map // by the names of Azure accounts
}

func startEchoClouds(t *testing.T) *echoClouds {
	t.Helper()
	r := &echoClouds{}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// storages returns a storage for every method of Google and Azure that
// has a secret. Their buckets have no names yet. keep makes a Secret of
// a value.
func (m *echoClouds) storages(t *testing.T, form string, keep func(name, value string) tasks.Secret) map[string]tasks.Storage {
	t.Helper()
	all := map[string]tasks.Storage{}
	for _, name := range []string{"ann", refusedName} {
		text, err := json.Marshal(map[string]string{
			"type": "service_account", "client_email": name + "@example.iam.gserviceaccount.com", "private_key": canaryPEM(),
			"private_key_id": core, // part of the assertion, which must stay secret too
		})
		if err != nil {
			t.Fatal(err)
		}
		all["gcs "+name] = tasks.Storage{Provider: "gcs", Endpoint: m.URL, Auth: tasks.Auth{
			Method: tasks.AuthKeyFile, KeyFile: keep("GCS"+name, string(text)),
		}}
		secret := core + "~client." + form
		account := "sp" + name + form
		m.secrets.Store(account, secret)
		all["principal "+name] = tasks.Storage{Provider: "azure", Account: account, Auth: tasks.Auth{
			Method: tasks.AuthServicePrincipal, TenantID: name, ClientID: "client", ClientSecret: keep("SP"+name, secret),
		}}
	}
	sig, key := padded("/sig+"+form, 43)+"=", padded("/key+"+form, 86)+"=="
	sas := "sv=2021-12-02&ss=b&srt=co&sp=rwl&se=2035-01-01T00:00:00Z&sig=" + url.QueryEscape(sig)
	azure := func(kind, secret string, auth tasks.Auth) {
		account := kind + form
		m.secrets.Store(account, secret)
		all[kind] = tasks.Storage{Provider: "azure", Account: account, Endpoint: m.URL + "/" + account, Auth: auth}
	}
	azure("sas", sig, tasks.Auth{Method: tasks.AuthSAS, SASToken: keep("SAS", sas)})
	azure("key", key, tasks.Auth{Method: tasks.AuthAccountKey, AccountKey: keep("ACCOUNTKEY", key)})
	azure("connkey", key, tasks.Auth{Method: tasks.AuthConnectionString, ConnectionString: keep("CONNKEY",
		"AccountName=connkey"+form+";AccountKey="+key+";BlobEndpoint="+m.URL+"/connkey"+form+";")})
	azure("connsas", sig, tasks.Auth{Method: tasks.AuthConnectionString, ConnectionString: keep("CONNSAS",
		"BlobEndpoint="+m.URL+"/connsas"+form+";SharedAccessSignature="+sas)})
	return all
}

// padded returns a canary of the length that a cloud requires.
func padded(end string, length int) string {
	return core + strings.Repeat("A", length-len(core)-len(end)-1) + end + "A"
}

// RoundTrip implements http.RoundTripper. It answers for the hosts of
// Azure, so no request leaves the process.
func (m *echoClouds) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// azureRedirect sends requests for hosts of Azure to echoClouds, and
// all others to the next transport.
type azureRedirect struct {
	azure *echoClouds
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (d azureRedirect) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Host, "127.0.0.1:") {
		return d.next.RoundTrip(r)
	}
	return d.azure.RoundTrip(r)
}

// ServeHTTP implements http.Handler.
func (m *echoClouds) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(io.LimitReader(r.Body, 4<<10))
	}
	form, _ := url.ParseQuery(string(body))
	text := m.requestText(r, body, form)
	switch {
	case strings.Contains(r.URL.Path, "/"+bucketHung):
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		<-r.Context().Done()
	case r.URL.Path == "/token":
		_, claims, _ := strings.Cut(form.Get("assertion"), ".")
		claims, _, _ = strings.Cut(claims, ".")
		said, _ := base64.RawURLEncoding.DecodeString(claims)
		token(w, bytes.Contains(said, []byte(refusedName+"@")), text)
	case strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token"):
		token(w, strings.HasPrefix(r.URL.Path, "/"+refusedName), text)
	case strings.Contains(r.URL.Host, "microsoft"):
		const at = "https://login.microsoftonline.com/"
		tenant, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		writeJSON(w, http.StatusOK, map[string]any{
			"tenant_discovery_endpoint": at + tenant + "/.well-known", "metadata": []string{}, "issuer": at + tenant,
			"token_endpoint": at + tenant + "/oauth2/v2.0/token", "authorization_endpoint": at + tenant + "/authorize",
		})
	case strings.Contains(r.URL.Path, "/"+bucketPage):
		w.Header().Set("X-Ms-Request-Id", text)
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, "<html><body>%s</body></html>", text)
	case strings.Contains(r.URL.Path, "/storage/v1/"):
		w.Header().Set("X-Guploader-Uploadid", text)
		writeJSON(w, http.StatusForbidden, map[string]any{"error": map[string]any{
			"code": http.StatusForbidden, "message": text, "errors": []map[string]string{{"reason": "forbidden", "message": text}},
		}})
	default:
		azureError(w, text)
	}
}

func azureError(w http.ResponseWriter, text string) {
	const code = "AuthorizationPermissionMismatch"
	w.Header().Set("X-Ms-Request-Id", text)
	w.Header().Set("X-Ms-Error-Code", code)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusForbidden)
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName                                  xml.Name `xml:"Error"`
		Code, Message, AuthenticationErrorDetail string
	}{Code: code, Message: text, AuthenticationErrorDetail: text})
}

// token answers like the sign-in services of both clouds.
func token(w http.ResponseWriter, refuse bool, text string) {
	if refuse {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "AADSTS7000215: " + text, "trace_id": text})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"access_token": mintedToken, "token_type": "Bearer", "expires_in": 3600})
}

// mintedToken is the token that all accounts get.
const mintedToken = core + ".minted/token+="

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// requestText returns everything that the server knows. Stevedore
// shortens long messages, so the canaries come first.
func (m *echoClouds) requestText(r *http.Request, body []byte, form url.Values) string {
	if !strings.HasSuffix(r.URL.Path, "/token") {
		body = nil
	}
	account, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if host, _, ok := strings.Cut(r.URL.Host, ".blob."); ok {
		account = host
	}
	secret := ""
	if known, ok := m.secrets.Load(account); ok {
		secret, _ = known.(string)
	}
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	return fmt.Sprintf("you sent %s%s %s, %s %s, %s, secret %s %s, to %s with Authorization %s, %s",
		form.Get("assertion"), form.Get("client_secret"), r.URL.RawQuery, bearer, base64.StdEncoding.EncodeToString([]byte(bearer)),
		r.URL.Query().Get("sig"), secret, url.QueryEscape(secret), r.URL, r.Header.Get("Authorization"), body)
}
