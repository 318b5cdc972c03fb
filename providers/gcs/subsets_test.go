package gcs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// A probe stores nothing and reports the rights correctly, whatever
// rights an account has. The requests that it makes depend on the rights,
// so the test tries every subset of them. Without testPermissions the
// probe must try a write even where it is allowed; the other half of the
// table is about that.
func TestProbeChangesNothing(t *testing.T) {
	t.Parallel()
	server := servers.GCS(t)
	root := server.Account(t, servers.GCSAccount{Root: true})
	permissions := []string{mayList, mayGet, mayCreate, mayDelete, "storage.buckets.get"}
	for subset := range 1 << len(permissions) {
		var granted []string
		for i, p := range permissions {
			if subset>>i&1 == 1 {
				granted = append(granted, p)
			}
		}
		for _, noTest := range []bool{false, true} {
			t.Run(fmt.Sprintf("%05b,noTest=%t", subset, noTest), func(t *testing.T) {
				t.Parallel()
				account := server.Account(t, servers.GCSAccount{})
				settings := servers.GCSBucket{Versioning: true, KMSKey: "projects/p/locations/eu/keyRings/r/cryptoKeys/k", NoTestPermissions: noTest}
				name := server.Bucket(t, settings)
				owner := openAs(t, server, name, root)
				fill(t, owner)
				fill(t, owner) // replaces the first versions
				before, versions := contents(t, owner), history(t, server, name, settings)

				settings.Grants = map[string][]string{account.Email: granted}
				server.Set(t, name, settings)
				s, secrets := storage(t, server.Endpoint, name, account.JSON)
				s.Prefix = "dir/"
				checks := providers.Probe(t.Context(), open(t, opener(t, server), s, secrets), tasks.Need{Read: true, Write: true, Versions: true, KMS: true})
				wantGranted(t, checks, granted, noTest)

				if after := contents(t, owner); !maps.Equal(before, after) {
					t.Errorf("with %s the bucket held %v, and now %v", granted, before, after)
				}
				if after := history(t, server, name, settings); after != versions {
					t.Errorf("with %s the versions were\n%s\nand are\n%s", granted, versions, after)
				}
			})
		}
	}
}

// wantGranted checks the results of a probe. A missing right fails its
// check, and the later checks are skipped. An account that may store but
// not replace gets a warning, if the server has testPermissions.
func wantGranted(t *testing.T, checks []tasks.Check, granted []string, noTest bool) {
	t.Helper()
	want := map[string]tasks.CheckStatus{}
	failed := false
	for _, step := range []struct{ check, permission string }{{"list", mayList}, {"read", mayGet}, {"write", mayCreate}} {
		switch {
		case failed:
			want[step.check] = tasks.CheckSkipped
		case !slices.Contains(granted, step.permission):
			want[step.check], failed = tasks.CheckFail, true
		case step.check == "write" && !noTest && !slices.Contains(granted, mayDelete):
			want[step.check] = tasks.CheckWarn
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

// history returns every version of every object, as the server lists
// them. It lets everybody list the bucket from then on.
func history(t *testing.T, server servers.GCSServer, name string, settings servers.GCSBucket) string {
	t.Helper()
	settings.Grants = map[string][]string{"allUsers": {mayList}}
	server.Set(t, name, settings)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.Endpoint+"/storage/v1/b/"+name+"/o?versions=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var page struct {
		Items []struct{ Name, Generation, Size, MD5Hash, Updated string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	lines := make([]string, 0, len(page.Items))
	for _, o := range page.Items {
		lines = append(lines, fmt.Sprintf("%+v", o))
	}
	if len(lines) < 6 { // three objects, each stored twice
		t.Fatalf("%s: only %d versions: %s", resp.Status, len(lines), lines)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
