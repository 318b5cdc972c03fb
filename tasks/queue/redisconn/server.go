package redisconn

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// ErrVersion means that Redis is too old: asynq archives tasks with
// ZRANGE BYSCORE, and groups of consumers use XAUTOCLAIM. Both came
// with 6.2.
var ErrVersion = errors.New("this program needs Redis 6.2 or newer")

const minMajor, minMinor = 6, 2

// Server is what a Redis says about itself. A field is empty if it does
// not say.
type Server struct {
	Version string
	// Eviction is its maxmemory-policy. Any policy but NoEviction loses
	// jobs: asynq loses a task for ever when the key of its lease is
	// evicted.
	Eviction string
}

// NoEviction is the policy that Redis must have.
const NoEviction = "noeviction"

// Check asks Redis what it is, of a cluster every master. The error is
// ErrVersion for a version that is too old, and ErrUnavailable if Redis
// does not answer. Any other error means that it refuses the login.
//
// A Redis that answers but says nothing about itself is accepted, and so
// is a user who may not ask.
func Check(ctx context.Context, c redis.UniversalClient) (found Server, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	var mu sync.Mutex
	err = eachMaster(ctx, c, func(ctx context.Context, c redis.UniversalClient) error {
		one, err := check(ctx, c)
		mu.Lock()
		defer mu.Unlock()
		if found == (Server{}) || one.Eviction != NoEviction {
			found = one
		}
		return err
	})
	return found, err
}

func check(ctx context.Context, c redis.UniversalClient) (s Server, err error) {
	if err := c.Ping(ctx).Err(); err != nil {
		return s, err
	}
	for _, section := range []string{"server", "memory"} {
		text, err := c.Info(ctx, section).Result()
		if err != nil && isOutage(err) {
			return s, err
		}
		s.read(text)
	}
	if s.tooOld() {
		return s, fmt.Errorf("version %s is too old: %w", s.Version, ErrVersion)
	}
	return s, nil
}

// read reads an answer of INFO.
func (s *Server) read(info string) {
	for lines := bufio.NewScanner(strings.NewReader(info)); lines.Scan(); {
		switch name, value, _ := strings.Cut(lines.Text(), ":"); name {
		case "redis_version":
			s.Version = value
		case "maxmemory_policy":
			s.Eviction = value
		}
	}
}

func (s *Server) tooOld() bool {
	parts := strings.SplitN(s.Version+".", ".", 3)
	major, err := strconv.Atoi(parts[0])
	if err != nil {
		return false // it does not say
	}
	minor, _ := strconv.Atoi(parts[1])
	return major < minMajor || major == minMajor && minor < minMinor
}
