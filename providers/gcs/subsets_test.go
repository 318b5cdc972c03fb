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

// Whatever an account may do, a probe changes nothing and tells what the
// account may do. A verification runs on buckets of other people with
// whatever rights they happened to grant, and which requests it makes depends
// on them: only trying every subset shows that none leads to a write that is
// stored. Without the permission test the probe has to try a write even where
// it is allowed, so that is its own half of the table.
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
				seen := as(t, server, name, root)
				fill(t, seen)
				fill(t, seen) // over the first versions
				before, versions := contents(t, seen), history(t, server, name, settings)

				settings.Grants = map[string][]string{account.Email: granted}
				server.Set(t, name, settings)
				s, secrets := storage(t, server.Endpoint, name, account.JSON)
				s.Prefix = "dir/"
				checks := providers.Probe(t.Context(), open(t, opener(t, server), s, secrets), tasks.Need{Read: true, Write: true, Versions: true, KMS: true})
				wantGranted(t, checks, granted, noTest)

				if after := contents(t, seen); !maps.Equal(before, after) {
					t.Errorf("with %s the bucket held %v, and now %v", granted, before, after)
				}
				if after := history(t, server, name, settings); after != versions {
					t.Errorf("with %s the versions were\n%s\nand are\n%s", granted, versions, after)
				}
			})
		}
	}
}

// wantGranted checks what a probe tells: a right that is missing fails its
// check, and those after it are not made. Whoever may store and not replace
// is warned, if the server tells.
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

// history is every version of every object. Buckets do not list old ones, so
// everybody may list for as long as it takes.
func history(t *testing.T, server servers.GCSServer, name string, settings servers.GCSBucket) string {
	t.Helper()
	settings.Grants = map[string][]string{"allUsers": {mayList}}
	server.Set(t, name, settings)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.Endpoint+"/storage/v1/b/"+name+"/o?versions=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := guarded(t).Do(req)
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
