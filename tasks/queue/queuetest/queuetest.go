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

// Servers returns functions that start each kind of Redis that
// Stevedore supports: "embedded", "redis", "cluster" and "acl", where
// the user has only AccessRules. Each call starts a server for one
// test. A cluster takes about three seconds.
func Servers() map[string]func(testing.TB) redisconn.Options {
	return map[string]func(testing.TB) redisconn.Options{
		"embedded": Embedded,
		"redis": func(t testing.TB) redisconn.Options {
			t.Helper()
			return Start(t).Options()
		},
		"cluster": func(t testing.TB) redisconn.Options {
			t.Helper()
			return StartCluster(t).Options()
		},
		"acl": func(t testing.TB) redisconn.Options {
			t.Helper()
			return StartACL(t).Options()
		},
	}
}

// Restartable is a Redis that a test can stop and start again.
type Restartable interface {
	Options() redisconn.Options
	Down()
	Up()
}

// Restartables returns functions that start a server, or a cluster.
func Restartables() map[string]func(testing.TB) Restartable {
	return map[string]func(testing.TB) Restartable{
		"redis":   func(t testing.TB) Restartable { t.Helper(); return Start(t) },
		"cluster": func(t testing.TB) Restartable { t.Helper(); return StartCluster(t) },
	}
}

// Redis is a redis-server for one test, on a free port. Its data is
// in a temporary directory of the test.
type Redis struct {
	t       testing.TB
	port    int
	bus     int // port for the other nodes of a cluster
	args    []string
	options redisconn.Options
	cmd     *exec.Cmd
}

// Start starts a real Redis that writes an append-only file. It stops
// when the test ends. With -short, Start skips the test. Without
// redis-server on the machine it skips the test, too, or fails it if
// REQUIRE_SERVICES=1.
func Start(t testing.TB) *Redis {
	t.Helper()
	r := prepare(t)
	r.Up()
	return r
}

// prepare returns a Redis that is not started yet.
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
		"--save", "", "--appendonly", "yes", "--appendfsync", "everysec",
		"--maxmemory-policy", "noeviction",
	}
	t.Cleanup(r.Down)
	return r
}

// Options returns how to reach the server.
func (r *Redis) Options() redisconn.Options { return r.options }

// Up starts the server with its data and waits until it answers.
func (r *Redis) Up() {
	r.t.Helper()
	r.cmd = exec.Command("redis-server", r.args...)
	if err := r.cmd.Start(); err != nil {
		r.t.Fatalf("start redis-server: %v", err)
	}
	client := r.options.Client()
	defer func() { _ = client.Close() }()

	// Another server may have got the same port.
	mine := fmt.Sprintf("process_id:%d\r\n", r.cmd.Process.Pid)
	Eventually(r.t, 10*time.Second, "redis-server answers", func() bool {
		return strings.Contains(client.Info(context.Background(), "server").Val(), mine)
	})
}

// Down stops the server as an operator does: all its data is on disk.
func (r *Redis) Down() { r.end(syscall.SIGTERM) }

// Kill stops the server without warning.
func (r *Redis) Kill() { r.end(syscall.SIGKILL) }

// Freeze makes the server hang: it keeps its connections and does not
// answer. Down and Kill end it all the same.
func (r *Redis) Freeze() { _ = r.cmd.Process.Signal(syscall.SIGSTOP) }

func (r *Redis) end(s syscall.Signal) {
	if r.cmd == nil {
		return
	}
	_ = r.cmd.Process.Signal(s)
	_ = r.cmd.Process.Signal(syscall.SIGCONT)
	_ = r.cmd.Wait()
	r.cmd = nil
}

// Eventually waits until a condition is true. It checks every 10 ms.
// After the limit it fails the test.
func Eventually(t testing.TB, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("not true within %v: %s", limit, what)
		case <-ticks.C:
		}
	}
}

// freePort returns a port that is not in use. It takes none that the
// system gives to connections and to listeners on port 0 (from 32768
// on Linux): another program could get such a port before the server
// starts, or while it is down.
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
