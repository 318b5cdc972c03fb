// Package embedded is a Redis inside this process, for runs without
// other processes: the demo, "stevedore run" and tests. It writes
// nothing to disk.
package embedded

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Server is a running Redis. The caller closes it.
type Server struct {
	redis    *miniredis.Miniredis
	password string
	stop     chan struct{}
	clock    guard.Group
}

// tick is how often the time of the server moves on.
const tick = 100 * time.Millisecond

// Start starts a server on a free loopback port. It asks for a
// password that no other process knows.
func Start() (*Server, error) {
	s := &Server{
		redis:    miniredis.NewMiniRedis(),
		password: rand.Text(),
		stop:     make(chan struct{}),
	}
	s.redis.RequireAuth(s.password)
	if err := s.redis.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start the embedded queue: %w", err)
	}
	s.clock.Go(s.runClock)
	return s, nil
}

// runClock lets keys expire. The time of miniredis does not move by
// itself.
func (s *Server) runClock() error {
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			s.redis.FastForward(tick)
		case <-s.stop:
			return nil
		}
	}
}

// Options returns how to reach the server.
func (s *Server) Options() redisconn.Options {
	return redisconn.Options{Addr: s.redis.Addr(), Password: s.password}
}

// Close stops the server. All its data is lost.
func (s *Server) Close() {
	close(s.stop)
	_ = s.clock.Wait() // it has no error but a panic
	s.redis.Close()
}
