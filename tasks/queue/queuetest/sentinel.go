package queuetest

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// StartSentinel starts a real Redis like Start, and a sentinel that
// calls it "harbour". The sentinel has a password of its own.
func StartSentinel(t testing.TB) redisconn.Options {
	t.Helper()
	return sentinelOptions(startSentinel(t, Start(t), ""))
}

// startSentinel starts a sentinel with some lines more in its
// configuration.
func startSentinel(t testing.TB, master *Redis, more string) *Redis {
	t.Helper()
	s := prepare(t)
	s.options.Password = rand.Text()
	config := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nrequirepass %s\n"+
		"sentinel monitor harbour 127.0.0.1 %d 1\n%s",
		s.port, t.TempDir(), s.options.Password, master.port, more)
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.args = []string{file, "--sentinel"}
	s.Up()
	return s
}

func sentinelOptions(s *Redis) redisconn.Options {
	return redisconn.Options{
		Mode:             redisconn.Sentinel,
		Addr:             s.options.Addr,
		Master:           "harbour",
		SentinelPassword: s.options.Password,
	}
}
