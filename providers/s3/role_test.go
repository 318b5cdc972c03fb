package s3_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const externalID = "workspace-7f3a"

// roleOn is a storage whose bucket a new role may use as the policy generator
// says.
func roleOn(t *testing.T, server providertest.STSServer, change func(*providertest.Role)) tasks.Storage {
	t.Helper()
	s := tasks.Storage{Provider: "s3", Bucket: server.Bucket(t), Endpoint: server.S3Server.Endpoint, Prefix: "dir/"}
	r := providertest.Role{
		Principals: []string{os.Getenv("AWS_ACCESS_KEY_ID")}, ExternalID: externalID,
		Policy: json.RawMessage(policy.S3Identity(s, policy.Uses{Read: true, Write: true, Versions: true})),
	}
	if change != nil {
		change(&r)
	}
	s.Auth = tasks.Auth{Method: tasks.AuthAssumeRole, RoleARN: server.Role(t, r), ExternalID: externalID}
	root := open(t, server.S3Server.Endpoint, s.Bucket, server.Root)
	if _, err := root.Put(t.Context(), "dir/k", strings.NewReader("x"), providers.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return s
}

func openRole(t *testing.T, server providertest.STSServer, s tasks.Storage) providers.Bucket {
	t.Helper()
	return openWith(t, &s3.Opener{STSEndpoint: server.Endpoint}, s, providers.Secrets{})
}

func TestAssumeRole(t *testing.T) {
	t.Parallel()
	server := providertest.STS(t)
	s := roleOn(t, server, nil)
	b := openRole(t, server, s)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := b.Stat(t.Context(), "dir/k"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if opened, _ := server.Sessions(t, s.Auth.RoleARN); opened != 1 {
		t.Errorf("the role was assumed %d times", opened)
	}
	if _, err := b.Stat(t.Context(), "outside"); providers.KindOf(err) != providers.Denied {
		t.Errorf("got %v", err)
	}
	checks := checksOf(t, b, tasks.Need{Read: true, Write: true, Versions: true})
	for _, id := range []string{"credentials", "role", "region", "list", "read", "write", "versions", "rights"} {
		if checks[id].Status != tasks.CheckOK {
			t.Errorf("%+v", checks[id])
		}
	}
	if text := checks["role"].Evidence; !strings.Contains(text, "stevedore-") || !strings.Contains(text, "without the external ID it is refused") {
		t.Errorf("the role's check says %q", text)
	}
}

// A job that lasts longer than a session goes on: here every session ends
// after a second.
func TestSessionsAreRenewed(t *testing.T) {
	t.Parallel()
	server := providertest.STS(t)
	s := roleOn(t, server, func(r *providertest.Role) { r.Seconds = 1 })
	b := openRole(t, server, s)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for first := true; ; first = false {
		if _, err := b.Stat(t.Context(), "dir/k"); err != nil {
			t.Fatal(err)
		}
		opened, alive := server.Sessions(t, s.Auth.RoleARN)
		if !first && opened > alive+1 {
			return // sessions have ended, and objects are still read
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("no session ended")
		}
	}
}

// Whatever is wrong with a role, STS says the same. It must not look like the
// bucket's refusal, and list all it can be.
func TestRoleIsRefused(t *testing.T) {
	t.Parallel()
	server := providertest.STS(t)
	for name, c := range map[string]struct {
		role    func(*providertest.Role)
		storage func(*tasks.Storage)
		advice  string
	}{
		"WrongExternalID": {nil, func(s *tasks.Storage) { s.Auth.ExternalID = "another" }, `another external ID than "another"`},
		"NoExternalID":    {nil, func(s *tasks.Storage) { s.Auth.ExternalID, s.Auth.NoExternalID = "", true }, "set external_id"},
		"OtherPrincipal":  {func(r *providertest.Role) { r.Principals = []string{"AKIASOMEBODY"} }, nil, "worker's account"},
		"NoSuchRole":      {nil, func(s *tasks.Storage) { s.Auth.RoleARN += "x" }, "there is no role arn:aws:iam::123456789012:role/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := roleOn(t, server, c.role)
			if c.storage != nil {
				c.storage(&s)
			}
			b := openRole(t, server, s)
			for op, err := range operations(t.Context(), b) {
				var e *providers.Error
				if !errors.As(err, &e) || e.Kind != providers.Denied || e.Op != "assume-role" || e.Key != s.Auth.RoleARN || !strings.Contains(e.Fix, c.advice) {
					t.Errorf("%s: got %v with advice %q", op, err, e.Advice())
				}
			}
			wantOneFault(t, b, "role", "AccessDenied", "the worker's account 123456789012 as principal")
			wantOneFault(t, b, "role", "AccessDenied", c.advice)
		})
	}
}

// A role that does not ask for the external ID takes the requests of every
// customer of the tool.
func TestRoleOpenToAll(t *testing.T) {
	t.Parallel()
	server := providertest.STS(t)
	s := roleOn(t, server, func(r *providertest.Role) { r.ExternalID = "" })
	if c := checksOf(t, openRole(t, server, s), tasks.Need{})["role"]; c.Status != tasks.CheckWarn || !strings.Contains(c.Fix, externalID) {
		t.Errorf("got %+v", c)
	}
	s.Auth.ExternalID, s.Auth.NoExternalID = "", true
	if c := checksOf(t, openRole(t, server, s), tasks.Need{})["role"]; c.Status != tasks.CheckOK || !strings.Contains(c.Evidence, "needs no external ID") {
		t.Errorf("got %+v", c)
	}
}

func TestWorkerIdentity(t *testing.T) {
	t.Parallel()
	server := providertest.STS(t)
	s := tasks.Storage{Provider: "s3", Bucket: server.Bucket(t), Endpoint: server.S3Server.Endpoint, Auth: tasks.Auth{Method: tasks.AuthWorkerIdentity}}
	_, err := (&s3.Opener{Client: http.DefaultClient}).Open(t.Context(), s, providers.Secrets{})
	var e *providers.Error
	if !errors.As(err, &e) || e.Code != "AuthNotAllowed" || !strings.Contains(e.Fix, "the setting worker-identity") {
		t.Errorf("got %v", err)
	}
	b := openWith(t, &s3.Opener{STSEndpoint: server.Endpoint, WorkerIdentity: true}, s, providers.Secrets{})
	if c := checksOf(t, b, tasks.Need{Read: true, Write: true})["credentials"]; c.Status != tasks.CheckOK || !strings.Contains(c.Evidence, "the worker is arn:aws:iam::123456789012:root") {
		t.Errorf("got %+v", c)
	}
}

// Not parallel: it takes the process's identity away.
func TestWorkerWithoutIdentity(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	server := gateServer(t)
	for _, method := range []string{tasks.AuthAssumeRole, tasks.AuthWorkerIdentity} {
		s := tasks.Storage{Provider: "s3", Bucket: "pictures", Endpoint: server, Auth: tasks.Auth{Method: method}}
		if method == tasks.AuthAssumeRole {
			s.Auth.RoleARN, s.Auth.ExternalID = gateRole, gateExternal
		}
		b := openWith(t, &s3.Opener{STSEndpoint: server + "/sts", WorkerIdentity: true}, s, providers.Secrets{})
		_, err := b.Stat(t.Context(), "k")
		var e *providers.Error
		if !errors.As(err, &e) || e.Code != "NoWorkerIdentity" || e.Op != "assume-role" {
			t.Errorf("%s: got %v", method, err)
		}
		wantOneFault(t, b, "credentials", "NoWorkerIdentity", "AWS_WEB_IDENTITY_TOKEN_FILE")
	}
}

// An endpoint of somebody else's is sent the session token with every
// request, and could answer with it.
func TestSessionTokenIsHidden(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		fault{status: 403, code: "AccessDenied", message: "your token is " + r.Header.Get("X-Amz-Security-Token")}.answer(w, "")
	}))
	defer echo.Close()
	s := tasks.Storage{
		Provider: "s3", Bucket: "pictures", Endpoint: echo.URL,
		Auth: tasks.Auth{Method: tasks.AuthAssumeRole, RoleARN: gateRole, ExternalID: gateExternal},
	}
	b := openWith(t, &s3.Opener{STSEndpoint: gateServer(t) + "/sts"}, s, providers.Secrets{})
	for op, err := range operations(t.Context(), b) {
		if err == nil || strings.Contains(err.Error(), "role-token") || !strings.Contains(err.Error(), "[redacted]") {
			t.Errorf("%s: %v", op, err)
		}
	}
	if asked.Load() == 0 {
		t.Error("nothing was asked")
	}
}

// Every shard of a job opens its bucket again. One session serves them all,
// but nobody who knows less than the role asks for; and a verification opens
// a new one.
func TestSessionIsShared(t *testing.T) {
	t.Parallel()
	server := providertest.STS(t)
	s := roleOn(t, server, nil)
	o := &s3.Opener{STSEndpoint: server.Endpoint}
	want := func(opened int) {
		t.Helper()
		if _, err := openWith(t, o, s, providers.Secrets{}).Stat(t.Context(), "dir/k"); err != nil {
			t.Error(err)
		}
		if got, _ := server.Sessions(t, s.Auth.RoleARN); got != opened {
			t.Errorf("the role was assumed %d times, want %d", got, opened)
		}
	}
	want(1)
	want(1)
	for _, change := range []func(*tasks.Auth){
		func(a *tasks.Auth) { a.ExternalID = "another" },
		func(a *tasks.Auth) { a.ExternalID, a.NoExternalID = "", true },
		func(a *tasks.Auth) { a.RoleARN += "x" },
	} {
		stranger := s
		change(&stranger.Auth)
		_, err := openWith(t, o, stranger, providers.Secrets{}).Stat(t.Context(), "dir/k")
		if providers.KindOf(err) != providers.Denied {
			t.Errorf("%+v: got %v", stranger.Auth, err)
		}
	}
	elsewhere := s
	elsewhere.Region = "eu-west-1" // whose STS is another one, as far as AWS is concerned
	if _, err := openWith(t, o, elsewhere, providers.Secrets{}).Stat(t.Context(), "dir/k"); err != nil {
		t.Error(err)
	}
	want(2)
	if c := checksOf(t, openWith(t, o, s, providers.Secrets{}), tasks.Need{Read: true})["role"]; c.Status != tasks.CheckOK {
		t.Errorf("got %+v", c)
	}
	want(4) // that of the check, and the one that takes the place of the first
}
