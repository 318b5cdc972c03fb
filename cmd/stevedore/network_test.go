package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/network"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/verify"
)

// diagnosed returns the answer of a verification by a worker whose
// operator allows the addresses of this machine.
func diagnosed(t *testing.T, s tasks.Storage, environ ...string) tasks.VerifyConnectionResult {
	t.Helper()
	a := allowed(configured(t, append(environ, "STEVEDORE_EGRESS_ALLOW=127.0.0.0/8,::1")...))
	net := network.New(a.egress)
	openers, err := registry(a, net)
	if err != nil {
		t.Fatal(err)
	}
	r, err := verify.Job{}.Run(t.Context(), tasks.VerifyConnection{Storage: s, Need: tasks.Need{Read: true}}, job.Env{
		Log: slog.New(slog.DiscardHandler), Parallel: 1,
		Open: func(ctx context.Context, s tasks.Storage) (providers.Bucket, error) {
			return network.Stack{Providers: openers, Network: net}.Open(ctx, s, providers.Secrets{Any: true}, nil)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	// The worker names the settings in every text that leaves it.
	named := r.(tasks.VerifyConnectionResult)
	for i, c := range named.Checks {
		named.Checks[i].Evidence = setting.Name(c.Evidence, settings.Name)
		named.Checks[i].Fix = setting.Name(c.Fix, settings.Name)
	}
	return named
}

func serving(t *testing.T, start func(http.Handler) *httptest.Server) string {
	t.Helper()
	s := start(http.NotFoundHandler())
	t.Cleanup(s.Close)
	return s.URL
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// wantOne checks that only the check of the sign-in failed, and that no
// check of the bucket was made after it.
func wantOne(t *testing.T, r tasks.VerifyConnectionResult, code, fix string) {
	t.Helper()
	failed := slices.DeleteFunc(slices.Clone(r.Checks), func(c tasks.Check) bool { return c.Status != tasks.CheckFail })
	if len(failed) != 1 || failed[0].ID != "sign-in" || failed[0].Code != code || failed[0].Evidence == "" || !strings.Contains(failed[0].Fix, fix) {
		t.Errorf("want sign-in to fail alone with %s and %q: %+v", code, fix, failed)
	}
	if last := r.Checks[len(r.Checks)-1]; last.ID != "read" || last.Status != tasks.CheckSkipped {
		t.Errorf("%+v", last)
	}
}

// When a worker cannot reach the service that issues credentials, one
// check fails, and it is not the check of the credentials.
func TestSignInFaults(t *testing.T) {
	t.Parallel()
	endpoint := serving(t, httptest.NewServer)
	for code, c := range map[string]struct{ sts, fix string }{
		"NoSuchHost":        {"https://" + strings.Repeat("x", 64) + ".example", "letter by letter"}, // a label has at most 63 letters
		"EgressBlocked":     {"https://10.1.2.3", "STEVEDORE_EGRESS_ALLOW"},
		"ConnectionRefused": {"http://" + closedPort(t), "Check the port"},
		"UnknownAuthority":  {serving(t, httptest.NewTLSServer), "SSL_CERT_FILE"},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			r := diagnosed(t, tasks.Storage{
				Provider: "s3", Bucket: "pictures", Region: "eu-west-1", Endpoint: endpoint,
				Auth: tasks.Auth{Method: tasks.AuthAssumeRole, RoleARN: "arn:aws:iam::999988887777:role/Pictures", ExternalID: "ws-1"},
			}, "STEVEDORE_STS_ENDPOINT="+c.sts)
			wantOne(t, r, code, c.fix)
			wantOne(t, r, code, "is set with STEVEDORE_STS_ENDPOINT on the workers")
		})
	}
}

func TestSignInOfAKeyFile(t *testing.T) {
	skipInShort(t)
	t.Parallel()
	server := servers.GCS(t)
	account := server.Account(t, servers.GCSAccount{Root: true})
	s := tasks.Storage{
		Provider: "gcs", Bucket: server.Bucket(t, servers.GCSBucket{}), Endpoint: server.Endpoint,
		Auth: tasks.Auth{Method: tasks.AuthKeyFile, KeyFile: secretFile(t, account.JSON)},
	}
	r := diagnosed(t, s, "STEVEDORE_GCS_TOKEN_URL=http://"+closedPort(t)+"/token")
	wantOne(t, r, "ConnectionRefused", "is set with STEVEDORE_GCS_TOKEN_URL on the workers")
	s.Endpoint = strings.Replace(s.Endpoint, "127.0.0.1", "localhost", 1) // another name makes another server
	r = diagnosed(t, s, "STEVEDORE_GCS_TOKEN_URL="+server.TokenURL)
	at := slices.IndexFunc(r.Checks, func(c tasks.Check) bool { return c.ID == "sign-in" })
	if !r.OK || at < 0 || r.Checks[at].Status != tasks.CheckOK || r.Checks[at].Evidence == "" {
		t.Errorf("%s: %+v", r.Verdict, r.Checks)
	}
}
