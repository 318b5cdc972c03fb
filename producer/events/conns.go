package events

import (
	"context"
	"errors"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// streamConns are the connections that read the stream. A read waits
// in Redis until there is an event, so each iteration has a
// connection of its own. It ends the read by closing the connection.
type streamConns struct {
	options redisconn.Options
	mu      sync.Mutex
	open    map[redis.UniversalClient]bool
	closed  bool
}

// connect returns a connection that lives until release is called or
// ctx ends.
func (s *streamConns) connect(ctx context.Context) (c redis.UniversalClient, release func()) {
	c = s.options.Client()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return c, func() {}
	}

	if s.open == nil {
		s.open = map[redis.UniversalClient]bool{}
	}
	s.open[c] = true
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	return c, func() {
		stop()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, c)
		_ = c.Close() // an error only means that it was closed before
	}
}

// close closes all connections. Every later read fails.
func (s *streamConns) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var failed []error
	for c := range s.open {
		if err := c.Close(); !errors.Is(err, redis.ErrClosed) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// isTransient reports whether the same call may succeed later.
func isTransient(err error) bool {
	return errors.Is(redisconn.Wrap(err, "redis"), redisconn.ErrUnavailable) &&
		!errors.Is(err, redis.ErrClosed)
}
