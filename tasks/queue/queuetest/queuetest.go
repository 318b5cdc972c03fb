// Package queuetest starts Redis servers for tests: real ones, and
// the embedded one.
package queuetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/embedded"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Embedded starts the Redis inside this process.
func Embedded(t testing.TB) redisconn.Options {
	t.Helper()
	s, err := embedded.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s.Options()
}

// Servers starts a Redis of every kind that Stevedore runs on, for
// tests that shall pass on each: "embedded", "redis", "cluster" and
// "acl", where the user has AccessRules only. Each call of a function
// starts a server of the test's own; a cluster takes some three
// seconds.
func Servers() map[string]func(testing.TB) redisconn.Options {
	return map[string]func(testing.TB) redisconn.Options{
		"embedded": Embedded,
		"redis":    func(t testing.TB) redisconn.Options { t.Helper(); return Start(t).Options() },
		"cluster":  func(t testing.TB) redisconn.Options { t.Helper(); return StartCluster(t).Options() },
		"acl":      func(t testing.TB) redisconn.Options { t.Helper(); return StartACL(t).Options() },
	}
}

// Restartable is a Redis that a test can stop and start again.
type Restartable interface {
	Options() redisconn.Options
	Down()
	Up()
}

// Restartables starts a server, or a cluster, that the test can
// restart.
func Restartables() map[string]func(testing.TB) Restartable {
	return map[string]func(testing.TB) Restartable{
		"redis":   func(t testing.TB) Restartable { t.Helper(); return Start(t) },
		"cluster": func(t testing.TB) Restartable { t.Helper(); return StartCluster(t) },
	}
}

// Redis is a redis-server of the test's own, on a free port, with its
// data in a directory of the test's.
type Redis struct {
	t       testing.TB
	port    int
	bus     int // where the nodes of a cluster talk to each other
	args    []string
	options redisconn.Options
	cmd     *exec.Cmd
}

// Start starts a real Redis that writes an append-only file, and
// stops it when the test ends. With -short it skips the test. Without
// redis-server on the machine it skips the test too, or fails it if
// REQUIRE_SERVICES=1.
func Start(t testing.TB) *Redis {
	t.Helper()
	r := prepare(t)
	r.Up()
	return r
}

// prepare is a Redis that is not started yet. It is stopped when the
// test ends.
func prepare(t testing.TB) *Redis {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED: -short runs no redis-server")
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("REQUIRE_SERVICES") == "1" {
			t.Fatal("redis-server is not installed, and REQUIRE_SERVICES=1")
		}
		t.Skip("SKIPPED: redis-server is not installed; deploy/test.sh installs it")
	}
	r := &Redis{t: t, port: freePort(t)}
	r.options.Addr = "127.0.0.1:" + strconv.Itoa(r.port)
	r.args = []string{
		"--port", strconv.Itoa(r.port), "--bind", "127.0.0.1", "--dir", t.TempDir(),
		"--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction",
	}
	t.Cleanup(r.Down)
	return r
}

// Options say how to reach it.
func (r *Redis) Options() redisconn.Options { return r.options }

// Up starts it, with the data it had, and waits until it answers.
func (r *Redis) Up() {
	r.t.Helper()
	r.cmd = exec.Command("redis-server", r.args...)
	if err := r.cmd.Start(); err != nil {
		r.t.Fatalf("start redis-server: %v", err)
	}
	client := r.options.Client()
	defer func() { _ = client.Close() }()
	mine := fmt.Sprintf("process_id:%d\r\n", r.cmd.Process.Pid) // and not another test's server on the same port
	Eventually(r.t, 10*time.Second, "redis-server answers", func() bool {
		return strings.Contains(client.Info(context.Background(), "server").Val(), mine)
	})
}

// Down stops it as an operator would: what it has acknowledged is on
// disk.
func (r *Redis) Down() { r.end(syscall.SIGTERM) }

// Kill stops it without warning.
func (r *Redis) Kill() { r.end(syscall.SIGKILL) }

func (r *Redis) end(s syscall.Signal) {
	if r.cmd == nil {
		return
	}
	_ = r.cmd.Process.Signal(s)
	_ = r.cmd.Wait()
	r.cmd = nil
}

// Eventually waits for a condition, looking every 10 ms, and fails
// the test when it does not come about.
func Eventually(t testing.TB, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("not within %v: %s", limit, what)
		case <-ticks.C:
		}
	}
}

// freePort finds a port that nobody listens on, below those that the
// system gives to connections and to who listens on any port (from
// 32768 on Linux): one of those could be taken before the server that
// is to have it starts, or while it is down.
func freePort(t testing.TB) int {
	t.Helper()
	const from, to = 10_000, 32_000
	for range 100 {
		port := from + rand.N(to-from)
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("found no free port")
	return 0
}
