package driver_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// countingCache counts the sessions that are created.
type countingCache struct {
	sessions driver.SessionCache[int, *int]
	created  int
}

func (c *countingCache) get(t testing.TB, key int) *int {
	t.Helper()
	session, err := c.sessions.Get(key, func() (*int, error) {
		c.created++
		return new(int), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// A session serves callers with the same key for ten minutes, and no
// others.
func TestSessionCache(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &countingCache{}
		first := c.get(t, 1)
		<-time.After(9 * time.Minute)
		if c.get(t, 1) != first || c.get(t, 2) == first || c.created != 2 {
			t.Errorf("%d sessions were created", c.created)
		}
		<-time.After(time.Minute)
		if c.get(t, 1) == first || c.created != 3 {
			t.Errorf("the expired session is still returned; %d were created", c.created)
		}
	})
}

// A full cache evicts only its oldest session.
func TestSessionCache_IsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &countingCache{}
		sessions := make([]*int, 1000)
		for key := range sessions {
			sessions[key] = c.get(t, key)
			<-time.After(time.Millisecond)
		}
		if c.get(t, 0) != sessions[0] || c.created != 1000 {
			t.Errorf("%d sessions were created", c.created)
		}
		c.get(t, 1000)
		for key := 1; key < 1000; key++ {
			if c.get(t, key) != sessions[key] {
				t.Fatalf("session %d was evicted too", key)
			}
		}
		if c.get(t, 0) == sessions[0] {
			t.Error("more than 1000 sessions are kept")
		}
	})
}

// Expired sessions are evicted before those that are still good.
func TestSessionCache_EvictsTheExpiredFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &countingCache{}
		for key := range 999 {
			c.get(t, key)
		}
		<-time.After(9 * time.Minute)
		young := c.get(t, 999)
		<-time.After(time.Minute)
		if c.get(t, 0); c.get(t, 999) != young {
			t.Error("a session that had not expired was evicted")
		}
	})
}

func TestSessionCache_DoesNotCacheFailures(t *testing.T) {
	t.Parallel()
	c := &countingCache{}
	refused := errors.New("refused")
	_, err := c.sessions.Get(1, func() (*int, error) { return nil, refused })
	if !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if c.get(t, 1) == nil || c.created != 1 {
		t.Errorf("%d sessions were created", c.created)
	}
}

func TestSessionCache_DoesNotCachePanics(t *testing.T) {
	t.Parallel()
	c := &countingCache{}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not reach the caller")
			}
		}()
		_, _ = c.sessions.Get(1, func() (*int, error) { panic("sign-in") })
	}()
	if c.get(t, 1) == nil || c.created != 1 {
		t.Errorf("%d sessions were created", c.created)
	}
}

// A slow sign-in holds up only those who need the same session, and
// they share its result.
func TestSessionCache_OneSignInForOneKey(t *testing.T) {
	t.Parallel()
	c := &countingCache{}
	started, finish := make(chan bool), make(chan bool)
	sessions := make(chan *int, 2)
	get := func(signIn func() (*int, error)) {
		session, _ := c.sessions.Get(1, signIn)
		sessions <- session
	}
	go get(func() (*int, error) {
		started <- true
		<-finish
		return new(int), nil
	})
	<-started
	go get(func() (*int, error) { return nil, errors.New("a second sign-in") })

	if c.get(t, 2) == nil { // this returns although the other sign-in has not ended
		t.Error("no session")
	}
	close(finish)
	if one, two := <-sessions, <-sessions; one == nil || one != two {
		t.Errorf("got %v and %v, want one session", one, two)
	}
}
