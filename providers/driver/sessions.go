package driver

import (
	"sync"
	"time"
)

// SessionCache caches authenticated sessions for ten minutes, because
// every shard of a job opens its bucket again, and sign-in services
// throttle those who come too often. The key K must contain every
// credential used to create the session, so that a caller can only
// reuse a session it could have created itself.
//
// The zero value is an empty cache. All methods are safe for
// concurrent use.
type SessionCache[K comparable, S any] struct {
	mu      sync.Mutex
	entries map[K]*sessionEntry[S] // guarded by mu
}

// sessionEntry is one session, or its creation under way.
type sessionEntry[S any] struct {
	create  func() (S, error) // runs once; concurrent callers wait for it
	expires time.Time
}

const (
	// maxSessionAge bounds how long a session outlives the revocation
	// of its credentials, and how long it lacks rights that were
	// granted since.
	maxSessionAge = 10 * time.Minute
	maxSessions   = 1000
)

// Get returns the cached session of key, or creates it with signIn.
// Callers that need the same session at the same time share one call
// of signIn; callers with other keys do not wait for it. A failure is
// returned to all of them and is not cached. signIn must make no
// request, since it has no context.
func (c *SessionCache[K, S]) Get(key K, signIn func() (S, error)) (S, error) {
	e := c.entry(key, signIn)
	created := false
	defer func() {
		if !created { // it failed or panicked
			c.remove(key, e)
		}
	}()

	session, err := e.create()
	created = err == nil
	return session, err
}

// entry finds the entry of a key, or adds one that is created by
// signIn.
func (c *SessionCache[K, S]) entry(key K, signIn func() (S, error)) *sessionEntry[S] {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if e, ok := c.entries[key]; ok && now.Before(e.expires) {
		return e
	}
	if c.entries == nil {
		c.entries = map[K]*sessionEntry[S]{}
	}

	c.makeRoom(now)
	e := &sessionEntry[S]{create: sync.OnceValues(signIn), expires: now.Add(maxSessionAge)}
	c.entries[key] = e
	return e
}

// makeRoom removes what has expired and, if there is still no room
// for one more entry, the oldest one. The caller holds mu.
func (c *SessionCache[K, S]) makeRoom(now time.Time) {
	var oldest K
	var expires time.Time
	for key, e := range c.entries {
		switch {
		case !now.Before(e.expires):
			delete(c.entries, key)
		case expires.IsZero() || e.expires.Before(expires):
			oldest, expires = key, e.expires
		}
	}
	if len(c.entries) >= maxSessions {
		delete(c.entries, oldest)
	}
}

// remove deletes an entry, unless another one has replaced it.
func (c *SessionCache[K, S]) remove(key K, e *sessionEntry[S]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[key] == e {
		delete(c.entries, key)
	}
}
