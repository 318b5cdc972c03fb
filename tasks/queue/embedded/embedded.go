// Package embedded is a Redis inside this process, for runs that
// nobody else takes part in: the demo, "stevedore run" and tests. It
// keeps nothing on disk.
package embedded

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Server is a running Redis. Close it.
type Server struct {
	redis    *miniredis.Miniredis
	password string
	stop     chan struct{}
	stopped  chan struct{}
}

const tick = 100 * time.Millisecond

// Start listens on a free loopback port, behind a password that
// nobody else on the machine knows.
func Start() (*Server, error) {
	s := &Server{redis: miniredis.NewMiniRedis(), password: rand.Text(), stop: make(chan struct{}), stopped: make(chan struct{})}
	s.redis.RequireAuth(s.password)
	if err := s.redis.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start the embedded queue: %w", err)
	}
	go s.clock()
	return s, nil
}

// clock lets keys expire: miniredis's time does not move by itself.
func (s *Server) clock() {
	defer close(s.stopped)
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			s.redis.FastForward(tick)
		case <-s.stop:
			return
		}
	}
}

// Options say how to reach it.
func (s *Server) Options() redisconn.Options {
	return redisconn.Options{Addr: s.redis.Addr(), Password: s.password}
}

// Close stops it; everything in it is gone.
func (s *Server) Close() {
	close(s.stop)
	<-s.stopped
	s.redis.Close()
}
