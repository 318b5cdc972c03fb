package hostile

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// redisSampler measures how much each job keeps in Redis.
type redisSampler struct {
	client *redis.Client

	mu    sync.Mutex
	peaks map[string]int64 // bytes by job
}

func newRedisSampler(t testing.TB, o redisconn.Options) *redisSampler {
	t.Helper()
	s := &redisSampler{
		client: redis.NewClient(&redis.Options{Addr: o.Addr, Password: o.Password}), peaks: map[string]int64{},
	}
	t.Cleanup(func() { _ = s.client.Close() })
	return s
}

// run measures until ctx ends.
func (s *redisSampler) run(ctx context.Context) {
	for ctx.Err() == nil {
		s.measure(ctx)
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// measure adds up the keys of each job, whose names begin with
// stevedore:{JOB}.
func (s *redisSampler) measure(ctx context.Context) {
	sizes := map[string]int64{}
	keys := s.client.Scan(ctx, 0, "stevedore:{*", 1000).Iterator()
	for keys.Next(ctx) {
		job, _, _ := strings.Cut(strings.TrimPrefix(keys.Val(), "stevedore:{"), "}")
		sizes[job] += s.client.MemoryUsage(ctx, keys.Val()).Val()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for job, size := range sizes {
		s.peaks[job] = max(s.peaks[job], size)
	}
}

// peak returns the most that a job has kept, in bytes.
func (s *redisSampler) peak(job string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peaks[job]
}
