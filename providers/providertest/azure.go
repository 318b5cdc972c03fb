package providertest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// AzureServer is Azurite, which knows one account.
type AzureServer struct {
	Endpoint string // with the account in its path
	Account  string
	Key      string // the account's; base64
}

// Azure finds the server that STEVEDORE_TEST_AZURE_ENDPOINT and its
// companions describe. Without one the test is skipped, or fails when
// REQUIRE_SERVICES=1.
func Azure(t testing.TB) AzureServer {
	t.Helper()
	s := AzureServer{
		Endpoint: os.Getenv("STEVEDORE_TEST_AZURE_ENDPOINT"),
		Account:  os.Getenv("STEVEDORE_TEST_AZURE_ACCOUNT"),
		Key:      os.Getenv("STEVEDORE_TEST_AZURE_KEY"),
	}
	const missing = "no Azure server: run deploy/test.sh, or start Azurite as it does"
	switch {
	case s.Endpoint != "" && s.Account != "" && s.Key != "":
	case os.Getenv("REQUIRE_SERVICES") == "1":
		t.Fatal(missing)
	default:
		t.Skip(missing)
	}
	return s
}

// Container makes a new empty container, until the test ends, and returns its
// name.
func (s AzureServer) Container(t testing.TB) string {
	t.Helper()
	name := "c" + strings.ToLower(rand.Text()[:16])
	s.manage(t, http.MethodPut, name, "", http.StatusCreated)
	t.Cleanup(func() { s.manage(t, http.MethodDelete, name, "", http.StatusAccepted) })
	return name
}

// Publish lets anonymous callers into a container: "container" for its
// listing and blobs, "blob" for blobs alone.
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
	req.Close = true // Azurite soon closes connections that are kept, perhaps under the next request
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

const sasVersion = "2021-12-02"

// SAS makes an account SAS that lists, reads and writes for a month, unless
// parts say otherwise: names and values in turn, an empty value for leaving a
// part out. See "Create an account SAS" of the REST reference.
func (s AzureServer) SAS(parts ...string) string {
	fields := map[string]string{"ss": "b", "srt": "co", "sp": "rwl", "se": SASTime(30 * 24 * time.Hour), "spr": "https,http", "sv": sasVersion}
	change(fields, parts)
	return s.signed(fields, s.Account, fields["sp"], fields["ss"], fields["srt"], fields["st"], fields["se"], fields["sip"], fields["spr"], fields["sv"], "", "")
}

// ContainerSAS makes a service SAS of one container in the same way. See
// "Create a service SAS".
func (s AzureServer) ContainerSAS(container string, parts ...string) string {
	fields := map[string]string{"sr": "c", "sp": "rwl", "se": SASTime(30 * 24 * time.Hour), "sv": sasVersion}
	change(fields, parts)
	return s.signed(fields, fields["sp"], fields["st"], fields["se"], "/blob/"+s.Account+"/"+container,
		fields["si"], fields["sip"], fields["spr"], fields["sv"], fields["sr"], "", "", "", "", "", "", "")
}

func change(fields map[string]string, parts []string) {
	for i := 0; i+1 < len(parts); i += 2 {
		fields[parts[i]] = parts[i+1]
	}
	maps.DeleteFunc(fields, func(_, value string) bool { return value == "" })
}

func (s AzureServer) signed(fields map[string]string, toSign ...string) string {
	query := url.Values{}
	for name, value := range fields {
		query.Set(name, value)
	}
	query.Set("sig", s.sign(strings.Join(toSign, "\n")))
	return query.Encode()
}

func (s AzureServer) sign(text string) string {
	key, _ := base64.StdEncoding.DecodeString(s.Key) // a wrong key shows as a wrong signature
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// authorize signs a request without a body with the account's key. See
// "Authorize with Shared Key".
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
	r.Header.Set("Authorization", "SharedKey "+s.Account+":"+s.sign(strings.Join(lines, "\n")))
}

// SASTime is a time from now, for the parts st and se of a SAS.
func SASTime(from time.Duration) string { return time.Now().UTC().Add(from).Format(time.RFC3339) }
