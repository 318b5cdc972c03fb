package servers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// AzureServer is Azurite, with its one account.
type AzureServer struct {
	Endpoint string // with the account in its path
	Account  string
	Key      string // of the account, in base64
}

// Azure finds the server.
func Azure(t testing.TB) AzureServer {
	t.Helper()
	s := AzureServer{
		Endpoint: os.Getenv("STEVEDORE_TEST_AZURE_ENDPOINT"),
		Account:  os.Getenv("STEVEDORE_TEST_AZURE_ACCOUNT"),
		Key:      os.Getenv("STEVEDORE_TEST_AZURE_KEY"),
	}
	require(t, "Azure server", s.Endpoint, s.Account, s.Key)
	return s
}

// In returns the same account behind an address where it lists its
// blobs in one of the orders of package keyorder. In those with
// directories it also lists the directories, as blobs with the metadata
// hdi_isfolder: accounts with a hierarchical namespace do.
func (s AzureServer) In(t testing.TB, order keyorder.Order) AzureServer {
	t.Helper()
	require(t, "emulators", string(controlAddress()))
	var gate struct{ Endpoint string }
	account := map[string]string{"endpoint": s.Endpoint, "account": s.Account, "key": s.Key}
	controlAddress().send(t, http.MethodPost, "/azure/gates/"+order.String(), account, &gate)
	s.Endpoint = gate.Endpoint
	return s
}

// Container makes a new empty container until the test ends, and
// returns its name.
func (s AzureServer) Container(t testing.TB) string {
	t.Helper()
	name := newName("c")
	s.manage(t, http.MethodPut, name, "", http.StatusCreated)
	t.Cleanup(func() { s.manage(t, http.MethodDelete, name, "", http.StatusAccepted) })
	return name
}

// Publish opens a container to anonymous callers: "container" its
// listing and its blobs, "blob" only its blobs.
func (s AzureServer) Publish(t testing.TB, name, access string) {
	t.Helper()
	s.manage(t, http.MethodPut, name, access, http.StatusOK)
}

func (s AzureServer) manage(t testing.TB, method, name, access string, want int) {
	t.Helper()
	req, err := http.NewRequest(method, s.Endpoint+"/"+name+"?restype=container", nil)
	if err != nil {
		t.Fatal(err)
	}
	// Azurite soon closes idle connections, perhaps during the next
	// request.
	req.Close = true
	req.Header.Set("x-ms-version", sasVersion)
	if access != "" {
		req.Header.Set("x-ms-blob-public-access", access)
		req.URL.RawQuery += "&comp=acl"
	}
	s.authorize(req)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != want {
		t.Fatalf("%s container: %s %s", method, resp.Status, resp.Header.Get("x-ms-error-code"))
	}
}

// authorize signs a request that has no body with the account's key.
// See "Authorize with Shared Key" of the REST reference.
func (s AzureServer) authorize(r *http.Request) {
	r.Header.Set("x-ms-date", time.Now().UTC().Format(http.TimeFormat))
	lines := []string{r.Method, "", "", "", "", "", "", "", "", "", "", ""}
	for _, name := range []string{"x-ms-blob-public-access", "x-ms-date", "x-ms-version"} {
		if value := r.Header.Get(name); value != "" {
			lines = append(lines, name+":"+value)
		}
	}
	lines = append(lines, "/"+s.Account+r.URL.Path)
	for _, name := range []string{"comp", "restype"} {
		if value := r.URL.Query().Get(name); value != "" {
			lines = append(lines, name+":"+value)
		}
	}
	signature := s.sign(strings.Join(lines, "\n"))
	r.Header.Set("Authorization", "SharedKey "+s.Account+":"+signature)
}

func (s AzureServer) sign(text string) string {
	key, _ := base64.StdEncoding.DecodeString(s.Key) // a wrong key gives a wrong signature
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
