package azure_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// A probe stores nothing and reports the rights correctly, whatever
// rights a SAS token has. The requests that it makes depend on the
// rights, so the test tries every subset of them. If a token itself shows
// that a right is missing, no request is made. So each subset is tried a
// second time with a token that refers to a stored access policy, whose
// rights only the server knows.
func TestProbeChangesNothing(t *testing.T) {
	t.Parallel()
	server := servers.Azure(t)
	const letters = "rwdlc" // in the order that signing requires
	for subset := 1; subset < 1<<len(letters); subset++ {
		granted := ""
		for i, letter := range letters {
			if subset>>i&1 == 1 {
				granted += string(letter)
			}
		}
		for _, visible := range []bool{true, false} { // the token itself shows its rights
			name := granted + ",policy"
			if visible {
				name = granted + ",visible"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				container := server.Container(t)
				owner := open(t, tasks.AuthAccountKey, server.Endpoint, container, server.Key)
				fill(t, owner, "dir/k", "dir/empty", "other/k")
				before := contents(t, owner)

				endpoint, sas := server.Endpoint, server.SAS("sp", granted)
				if !visible {
					endpoint = withPolicy(t, server, sas)
					sas = server.ContainerSAS(container, "si", "team", "sp", "", "se", "")
				}
				s, secrets := storage(t, tasks.AuthSAS, endpoint, container, sas)
				s.Prefix = "dir/"
				checks := providers.Probe(t.Context(), openStorage(t, s, secrets), tasks.Need{Read: true, Write: true, Versions: true, KMS: true})
				wantGranted(t, checks, granted, visible)

				if after := contents(t, owner); after != before {
					t.Errorf("with %s the container held\n%s\nand holds\n%s", granted, before, after)
				}
			})
		}
	}
}

// wantGranted checks the results of a probe. A missing right fails its
// check, and the later checks are skipped. If the token itself shows its
// rights, all of them are skipped, because the check credentials fails.
func wantGranted(t *testing.T, checks []tasks.Check, granted string, visible bool) {
	t.Helper()
	want := map[string]tasks.CheckStatus{}
	steps := []struct{ check, letters string }{{"list", "l"}, {"read", "r"}, {"write", "wc"}}
	failed := false
	for _, step := range steps {
		failed = failed || visible && !strings.ContainsAny(granted, step.letters)
	}
	for _, step := range steps {
		switch {
		case failed:
			want[step.check] = tasks.CheckSkipped
		case !strings.ContainsAny(granted, step.letters):
			want[step.check], failed = tasks.CheckFail, true
		default:
			want[step.check] = tasks.CheckOK
		}
	}
	got := map[string]tasks.CheckStatus{}
	for _, c := range checks {
		if _, ok := want[c.ID]; ok {
			got[c.ID] = c.Status
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("with %s: got %+v\nwant %v", granted, checks, want)
	}
}

// withPolicy starts a proxy of Azurite and returns its endpoint. The
// proxy replaces the SAS token of a request by another one, which has the
// rights of the stored access policy.
func withPolicy(t testing.TB, server servers.AzureServer, sas string) string {
	t.Helper()
	to, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	token, err := url.ParseQuery(sas)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: to.Scheme, Host: to.Host})
		query := r.In.URL.Query()
		for _, name := range []string{"sv", "sr", "si", "sig"} {
			query.Del(name)
		}
		maps.Copy(query, token)
		r.Out.URL.RawQuery = query.Encode()
	}}
	g := httptest.NewServer(http.Handler(proxy))
	t.Cleanup(g.Close)
	return g.URL + "/" + server.Account
}
