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

// Whatever a SAS token grants, a probe changes nothing and tells what the
// token grants. A verification runs on containers of other people with
// whatever rights they happened to grant, and which requests it makes depends
// on them: only trying every subset shows that none leads to a write that is
// stored. A token that says itself that it lacks a right is judged without a
// request, so each subset is also tried with a token that names a stored
// access policy: then only the server knows.
func TestProbeChangesNothing(t *testing.T) {
	t.Parallel()
	server := servers.Azure(t)
	const letters = "rwdlc" // in the order in which they are signed
	for subset := 1; subset < 1<<len(letters); subset++ {
		granted := ""
		for i, letter := range letters {
			if subset>>i&1 == 1 {
				granted += string(letter)
			}
		}
		for _, told := range []bool{true, false} {
			name := granted + ",policy"
			if told {
				name = granted + ",told"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				container := server.Container(t)
				owner := open(t, tasks.AuthAccountKey, server.Endpoint, container, server.Key)
				fill(t, owner, "dir/k", "dir/empty", "other/k")
				before := contents(t, owner)

				endpoint, sas := server.Endpoint, server.SAS("sp", granted)
				if !told {
					endpoint = resigned(t, server, sas)
					sas = server.ContainerSAS(container, "si", "team", "sp", "", "se", "")
				}
				s, secrets := storage(t, tasks.AuthSAS, endpoint, container, sas)
				s.Prefix = "dir/"
				checks := providers.Probe(t.Context(), openStorage(t, s, secrets), tasks.Need{Read: true, Write: true, Versions: true, KMS: true})
				wantGranted(t, checks, granted, told)

				if after := contents(t, owner); after != before {
					t.Errorf("with %s the container held\n%s\nand holds\n%s", granted, before, after)
				}
			})
		}
	}
}

// wantGranted checks what a probe tells: a right that is missing fails its
// check, and those after it are not made. A token that tells of itself fails
// before all of them.
func wantGranted(t *testing.T, checks []tasks.Check, granted string, told bool) {
	t.Helper()
	want := map[string]tasks.CheckStatus{}
	steps := []struct{ check, letters string }{{"list", "l"}, {"read", "r"}, {"write", "wc"}}
	failed := false
	for _, step := range steps {
		failed = failed || told && !strings.ContainsAny(granted, step.letters)
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

// resigned stands before Azurite and puts one SAS token in the place of that
// which a request bears, as a stored access policy would say what the other
// grants. It returns the endpoint.
func resigned(t testing.TB, server servers.AzureServer, sas string) string {
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
