package azure_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Storages that work, and the warnings about them.
func TestProbe(t *testing.T) {
	t.Parallel()
	server := servers.Azure(t)
	sas := func(parts ...string) func(string) string {
		return func(string) string { return server.SAS(parts...) }
	}
	always := func(secret string) func(string) string { return func(string) string { return secret } }
	connection := "DefaultEndpointsProtocol=http;AccountName=" + server.Account + ";AccountKey=" + server.Key + ";BlobEndpoint=" + server.Endpoint + ";"
	const key, connected = tasks.AuthAccountKey, tasks.AuthConnectionString
	for _, c := range []struct {
		name   string
		method string
		secret func(container string) string
		keys   []string
		want   string
	}{
		{"SeedSAS", "", sas(), []string{"dir/k"}, "credentials ok, list ok, read ok, write ok ConditionNotMet"},
		{"QuestionMark", "", always("?" + server.SAS()), []string{"dir/k"}, "credentials ok, list ok, read ok, write ok ConditionNotMet"},
		{"URL", "", func(c string) string { return server.Endpoint + "/" + c + "?" + server.SAS() }, []string{"dir/k"}, "credentials ok, list ok, read ok, write ok ConditionNotMet"},
		{"ContainerSAS", "", func(c string) string { return server.ContainerSAS(c) }, []string{"dir/k"}, "credentials ok, list ok, read ok, write ok ConditionNotMet"},
		{"EmptyContainer", "", sas(), nil, "credentials ok, list ok, read ok, write ok ConditionNotMet"},
		{"EmptyBlob", "", sas(), []string{"dir/empty"}, "credentials ok, list ok, read ok, write ok ConditionNotMet"},
		{"ExpiresSoon", "", sas("se", servers.SASTime(50*time.Hour)), []string{"dir/k"}, "credentials warn SASExpiresSoon, list ok, read ok, write ok ConditionNotMet"},
		{"CreateOnly", "", sas("sp", "rcl"), []string{"dir/k"}, "credentials warn SASCreateOnly, list ok, read ok, write ok ConditionNotMet"},
		{"OneAddress", "", sas("sip", "127.0.0.1"), []string{"dir/k"}, "credentials warn SASAddressRange, list ok, read ok, write ok ConditionNotMet"},
		{"TooManyRights", "", sas("sp", "rwdxylact"), []string{"dir/k"}, "credentials ok, list ok, read ok, write ok ConditionNotMet, rights warn MoreThanNeeded"},
		{"AccountKey", key, always(server.Key), []string{"dir/k"}, "credentials ok, list ok, read ok, write ok ConditionNotMet, rights warn MoreThanNeeded"},
		{"AccountKeyInSASField", "", always(server.Key), []string{"dir/k"}, "credentials warn SecretInWrongField, list ok, read ok, write ok ConditionNotMet, rights warn MoreThanNeeded"},
		{"ConnectionStringInSASField", "", always(connection), []string{"dir/k"}, "credentials warn SecretInWrongField, list ok, read ok, write ok ConditionNotMet, rights warn MoreThanNeeded"},
		{"StorageExplorer", connected, func(c string) string {
			return "BlobEndpoint=" + server.Endpoint + "/" + c + ";SharedAccessSignature=" + server.SAS()
		}, []string{"dir/k"}, "credentials ok, list ok, read ok, write ok ConditionNotMet"},
		{"ConnectionStringSAS", connected, always("BlobEndpoint=" + server.Endpoint + "/;SharedAccessSignature=" + server.SAS()), []string{"dir/k"}, "credentials ok, list ok, read ok, write ok ConditionNotMet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := server.Container(t)
			owner := open(t, key, server.Endpoint, name, server.Key)
			fill(t, owner, c.keys...)
			before := contents(t, owner)
			method := c.method
			if method == "" {
				method = tasks.AuthSAS
			}
			s, secrets := storage(t, method, server.Endpoint, name, c.secret(name))
			s.Prefix = "dir/"
			wantChecks(t, openStorage(t, s, secrets), tasks.Need{Read: true, Write: true}, c.want)
			if after := contents(t, owner); after != before {
				t.Errorf("the container held\n%s\nand holds\n%s", before, after)
			}
		})
	}
}

// A wrong account key is one fault: nothing is said of what the key
// would allow.
func TestProbe_WrongKey(t *testing.T) {
	t.Parallel()
	server := servers.Azure(t)
	name := server.Container(t)
	wrong := strings.Replace(server.Key, "Eby8", "Abc1", 1)
	b := open(t, tasks.AuthAccountKey, server.Endpoint, name, wrong)
	checks := providers.Probe(t.Context(), b, tasks.Need{Read: true, Write: true})
	fault{check: "list", code: "AuthorizationFailure", fix: "Check the account key and account"}.wantFailure(t, checks)
}

func wantChecks(t *testing.T, b providers.Bucket, need tasks.Need, want string) {
	t.Helper()
	checks := providers.Probe(t.Context(), b, need)
	got := make([]string, 0, len(checks))
	for _, c := range checks {
		got = append(got, strings.TrimSpace(c.ID+" "+string(c.Status)+" "+c.Code))
		if c.Evidence == "" || c.Status == tasks.CheckWarn && c.Fix == "" {
			t.Errorf("no evidence or no fix: %+v", c)
		}
	}
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("got  %s\nwant %s\n%+v", text, want, checks)
	}
}

func TestProbe_Anonymous(t *testing.T) {
	t.Parallel()
	server := servers.Azure(t)
	name := server.Container(t)
	server.Publish(t, name, "container")
	s := tasks.Storage{Provider: "azure", Bucket: name, Account: server.Account, Endpoint: server.Endpoint, Auth: tasks.Auth{Method: tasks.AuthAnonymous}}
	wantChecks(t, openStorage(t, s, providers.Secrets{}), tasks.Need{Read: true}, "credentials ok, list ok, read ok")
}

// listing makes a handler that answers with one page. Each argument is a
// blob: its name, a space, its properties, a bar and its metadata.
func listing(blobs ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Ms-Request-Id", requestID)
		w.Header().Set("Content-Type", "application/xml")
		_, _ = io.WriteString(w, `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://x/" ContainerName="c"><Blobs>`)
		for _, b := range blobs {
			key, extra, _ := strings.Cut(b, " ")
			properties, metadata, _ := strings.Cut(extra, "|")
			_, _ = fmt.Fprintf(w, `<Blob><Name>%s</Name><Properties><Last-Modified>Fri, 10 Jul 2020 10:16:22 GMT</Last-Modified><Etag>0x8D1</Etag><Content-Length>3</Content-Length>%s</Properties>%s</Blob>`,
				key, properties, metadata)
		}
		_, _ = io.WriteString(w, `</Blobs><NextMarker /></EnumerationResults>`)
	}
}

const (
	archived = " <AccessTier>Archive</AccessTier>"
	folder   = " |<Metadata><hdi_isfolder>true</hdi_isfolder></Metadata>"
	version  = " |<VersionId>2030-01-01T00:00:00.0000000Z</VersionId>"
)

// Listings with tiers, versions, keys and directories, which Azurite does
// not have.
func TestProbe_Listings(t *testing.T) {
	t.Parallel()
	read := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Ms-Request-Id", requestID)
		w.Header().Set("X-Ms-Encryption-Scope", "team")
		w.Header().Set("Content-Range", "bytes 0-0/3")
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.WriteString(w, "x")
	}
	for _, c := range []struct {
		name  string
		blobs []string
		want  string
	}{
		{"Plain", []string{"a"}, "credentials ok, list ok, read ok, versions warn VersioningDisabled, kms ok"},
		{"Versions", []string{"a" + version}, "credentials ok, list ok, read ok, versions ok, kms ok"},
		{"SomeArchived", []string{"a" + archived, "b"}, "credentials ok, list ok, read warn BlobArchived, versions warn VersioningDisabled, kms ok"},
		{"OnlyDirectories", []string{"a" + folder}, "credentials ok, list ok, read ok, versions warn VersioningDisabled, kms unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			endpoint := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case lists(r):
					listing(c.blobs...)(w, r)
				case strings.Contains(r.URL.Path, "probe"):
					refusal{404, "BlobNotFound", "The specified blob does not exist.", ""}.answer(w, r)
				default:
					read(w, r)
				}
			})
			wantChecks(t, open(t, tasks.AuthSAS, endpoint, "c", unverified().SAS()), tasks.Need{Read: true, Versions: true, KMS: true}, c.want)
		})
	}
}

func TestListSkipsDirectories(t *testing.T) {
	t.Parallel()
	b := open(t, tasks.AuthSAS, serve(t, listing("a", "d"+folder, "d/x", "e")), "c", unverified().SAS())
	var keys []string
	for o, err := range b.List(t.Context(), providers.ListOptions{After: "a", Through: "d/x"}) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	if !slices.Equal(keys, []string{"d/x"}) {
		t.Errorf("listed %q", keys)
	}
	for name, opts := range map[string]providers.ListOptions{"StartIgnored": {After: "b", Direct: true}, "UnorderedListing": {}} {
		b := open(t, tasks.AuthSAS, serve(t, listing("a", "e", "d")), "c", unverified().SAS())
		var last error
		for _, err := range b.List(t.Context(), opts) {
			last = err
		}
		if last == nil || providers.KindOf(last) != providers.Invalid || !strings.Contains(last.Error(), name) {
			t.Errorf("%s: got %v", name, last)
		}
	}
}

// If a server stores the probe's blob in spite of the false condition,
// the check says so and removes the blob.
func TestProbe_ServerIgnoresConditions(t *testing.T) {
	t.Parallel()
	deleted := make(chan string, 1)
	endpoint := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Ms-Request-Id", requestID)
		switch r.Method {
		case http.MethodPut:
			w.WriteHeader(http.StatusCreated)
		case http.MethodDelete:
			deleted <- r.URL.Path
			w.WriteHeader(http.StatusAccepted)
		default:
			listing()(w, r)
		}
	})
	wantChecks(t, open(t, tasks.AuthSAS, endpoint, "c", unverified().SAS()), tasks.Need{Write: true}, "credentials ok, list ok, write warn ConditionIgnored")
	if path := <-deleted; !strings.Contains(path, ".stevedore-probe-") {
		t.Errorf("deleted %s", path)
	}
}

// Endpoint and CORSTarget hold no secret.
func TestURLsHoldNoSecret(t *testing.T) {
	t.Parallel()
	b := open(t, tasks.AuthSAS, "http://127.0.0.1:1/devstoreaccount1", "c", unverified().SAS())
	at, ok := b.(interface {
		Endpoint() string
		CORSTarget() string
	})
	if !ok || at.Endpoint() != "http://127.0.0.1:1/devstoreaccount1" || at.CORSTarget() != "http://127.0.0.1:1/devstoreaccount1/c/stevedore-preflight" {
		t.Errorf("got %v", at)
	}
}
