package identity_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func TestAssumeRole(t *testing.T) {
	t.Parallel()
	server := servers.STS(t)
	s := s3test.RoleStorage(t, server, nil)
	b := s3test.OpenRole(t, server, s)
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

	checks := s3test.Probe(t, b, tasks.Need{Read: true, Write: true, Versions: true})
	for _, id := range []string{
		"credentials", "role", "region", "list", "read", "write", "versions", "rights",
	} {
		if !s3test.IsGood(checks[id]) {
			t.Errorf("%+v", checks[id])
		}
	}
	for _, words := range []string{"stevedore-", "without the external ID it is refused"} {
		if text := checks["role"].Evidence; !strings.Contains(text, words) {
			t.Errorf("the role's check says %q", text)
		}
	}
}

// A job can last longer than a session. Here every session ends after a
// second, and objects can still be read.
func TestSessionsAreRenewed(t *testing.T) {
	t.Parallel()
	server := servers.STS(t)
	s := s3test.RoleStorage(t, server, func(r *servers.Role) { r.Seconds = 1 })
	b := s3test.OpenRole(t, server, s)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()

	for first := true; ; first = false {
		if _, err := b.Stat(ctx, "dir/k"); err != nil {
			t.Fatal(err)
		}
		opened, alive := server.Sessions(t, s.Auth.RoleARN)
		if !first && opened > alive+1 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("no session ended")
		}
	}
}

// STS gives the same answer for everything that can be wrong with a
// role. The error must not look like one of the bucket, and its advice
// lists all causes.
func TestRoleIsRefused(t *testing.T) {
	t.Parallel()
	server := servers.STS(t)
	for name, c := range map[string]struct {
		role   func(*servers.Role)
		auth   func(*tasks.Auth)
		advice string
	}{
		"WrongExternalID": {
			auth:   func(a *tasks.Auth) { a.ExternalID = "another" },
			advice: `another external ID than "another"`,
		},
		"NoExternalID": {
			auth:   func(a *tasks.Auth) { a.ExternalID, a.NoExternalID = "", true },
			advice: "set external_id",
		},
		"OtherPrincipal": {
			role:   func(r *servers.Role) { r.Principals = []string{"AKIASOMEBODY"} },
			advice: "worker's account",
		},
		"NoSuchRole": {
			auth:   func(a *tasks.Auth) { a.RoleARN += "x" },
			advice: "there is no role arn:aws:iam::123456789012:role/",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := s3test.RoleStorage(t, server, c.role)
			if c.auth != nil {
				c.auth(&s.Auth)
			}
			b := s3test.OpenRole(t, server, s)
			for op, err := range providertest.Operations(t.Context(), b) {
				var e *providers.Error
				if !errors.As(err, &e) || e.Kind != providers.Denied || e.Op != "assume-role" ||
					e.Key != s.Auth.RoleARN || !strings.Contains(e.Fix, c.advice) {
					t.Errorf("%s: got %v with advice %q", op, err, e.Advice())
				}
			}
			for _, fix := range []string{"the worker's account 123456789012 as principal", c.advice} {
				s3test.CheckOneFailure(t, b, "role", "AccessDenied", fix)
			}
		})
	}
}

// A role that does not require the external ID also serves requests
// that the tool makes for other customers.
func TestRoleWithoutExternalID(t *testing.T) {
	t.Parallel()
	server := servers.STS(t)
	s := s3test.RoleStorage(t, server, func(r *servers.Role) { r.ExternalID = "" })
	c := s3test.Probe(t, s3test.OpenRole(t, server, s), tasks.Need{})["role"]
	if c.Status != tasks.CheckWarn || !strings.Contains(c.Fix, s3test.RoleExternalID) {
		t.Errorf("got %+v", c)
	}

	s.Auth.ExternalID, s.Auth.NoExternalID = "", true
	c = s3test.Probe(t, s3test.OpenRole(t, server, s), tasks.Need{})["role"]
	if c.Status != tasks.CheckOK || !strings.Contains(c.Evidence, "needs no external ID") {
		t.Errorf("got %+v", c)
	}
}

// Every shard of a job opens its bucket again. One session serves them
// all, but only callers with the same role and external ID. A
// verification always opens a new session.
func TestSessionIsShared(t *testing.T) {
	t.Parallel()
	server := servers.STS(t)
	s := s3test.RoleStorage(t, server, nil)
	o := &s3.Opener{STSEndpoint: server.Endpoint}
	stat := func(s tasks.Storage) error {
		_, err := s3test.Open(t, o, s, providers.Secrets{}).Stat(t.Context(), "dir/k")
		return err
	}
	checkSessions := func(want int) {
		t.Helper()
		if err := stat(s); err != nil {
			t.Error(err)
		}
		if got, _ := server.Sessions(t, s.Auth.RoleARN); got != want {
			t.Errorf("the role was assumed %d times, want %d", got, want)
		}
	}
	checkSessions(1)
	checkSessions(1)

	for _, change := range []func(*tasks.Auth){
		func(a *tasks.Auth) { a.ExternalID = "another" },
		func(a *tasks.Auth) { a.ExternalID, a.NoExternalID = "", true },
		func(a *tasks.Auth) { a.RoleARN += "x" },
	} {
		other := s
		change(&other.Auth)
		if err := stat(other); providers.KindOf(err) != providers.Denied {
			t.Errorf("%+v: got %v", other.Auth, err)
		}
	}
	otherRegion := s
	otherRegion.Region = "eu-west-1" // AWS has another STS there
	if err := stat(otherRegion); err != nil {
		t.Error(err)
	}
	checkSessions(2)

	b := s3test.Open(t, o, s, providers.Secrets{})
	if c := s3test.Probe(t, b, tasks.Need{Read: true})["role"]; c.Status != tasks.CheckOK {
		t.Errorf("got %+v", c)
	}
	checkSessions(4) // one of the check, and one that replaces the first
}
