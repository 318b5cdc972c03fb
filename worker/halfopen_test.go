package worker_test

import (
	"context"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// hole is the way to a server. When it is cut, connections stay open,
// no byte passes, and new connections get no answer.
type hole struct {
	net.Listener
	cut chan struct{}
}

// newHole returns an open way to a server.
func newHole(t *testing.T, to string) hole {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "listener")
	defer func() { _ = file.Close() }()
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	// The system answers few connections that nobody accepts.
	if err := syscall.Listen(fd, 1); err != nil {
		t.Fatal(err)
	}
	l, err := net.FileListener(file)
	if err != nil {
		t.Fatal(err)
	}
	h := hole{l, make(chan struct{})}
	t.Cleanup(func() { _ = l.Close() })
	go h.accept(t, to)
	return h
}

func (h hole) accept(t *testing.T, to string) {
	for {
		c, err := h.Accept()
		if err != nil {
			return
		}
		t.Cleanup(func() { _ = c.Close() })
		select {
		case <-h.cut: // holds the connection, and reads nothing
			return
		default:
		}
		server, err := net.Dial("tcp", to)
		if err != nil {
			_ = c.Close()
			continue
		}
		t.Cleanup(func() { _ = server.Close() })
		go h.pass(c, server)
		go h.pass(server, c)
	}
}

// pass passes bytes on until the way is cut.
func (h hole) pass(to, from net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		select {
		case <-h.cut:
			return
		default:
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}

// fill connects until the system answers no more connections.
func (h hole) fill(t *testing.T) {
	t.Helper()
	queuetest.Eventually(t, 20*time.Second, "connections get no answer", func() bool {
		c, err := net.DialTimeout("tcp", h.Addr().String(), 300*time.Millisecond)
		if err == nil {
			t.Cleanup(func() { _ = c.Close() })
		}
		return err != nil
	})
}

// A worker ends within its drain timeout when the network to Redis is
// cut, at once or some time before.
func TestStopsWithHalfOpenConnections(t *testing.T) {
	t.Parallel()
	for name, noticed := range map[string]bool{"at once": false, "noticed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := queuetest.Start(t).Options()
			h := newHole(t, o.Addr)
			o.Addr = h.Addr().String()
			work := newBlocker()
			m := &countingJob{shards: 4, work: func(ctx context.Context, _ job.Env, _ job.Shard) error {
				return work.block(ctx)
			}}
			c := newConfig(t, o)
			book := new(logBook)
			c.Log = book.logger()
			p := startWorker(t, c, testJobs{manifest: m})
			enqueue(t, newClient(t, o), manifest, "m")
			work.waitBlocked(t, 2)
			close(h.cut)
			h.fill(t)
			if noticed {
				queuetest.Eventually(t, 30*time.Second, "the worker has noticed", func() bool {
					return book.has("Redis is away")
				})
			}
			checkStop(t, p, c.DrainTimeout)
		})
	}
}

// A worker ends within its drain timeout when Redis hangs while shards
// commit a lot of data, and while a job waits to be written down.
func TestStopsDuringCommit(t *testing.T) {
	t.Parallel()
	r := queuetest.Start(t)
	work := newBlocker()
	m := &countingJob{
		shards: 4,
		work:   func(ctx context.Context, _ job.Env, _ job.Shard) error { return work.block(ctx) },
		data:   func(string) []byte { return make([]byte, 3<<20) },
	}
	c := newConfig(t, r.Options())
	c.Log = new(logBook).logger()
	p := startWorker(t, c, testJobs{manifest: m})
	client := newClient(t, r.Options())
	enqueue(t, client, manifest, "m")
	enqueue(t, client, manifest, "other")
	work.waitBlocked(t, 2)
	r.Freeze()
	work.release()
	checkStop(t, p, c.DrainTimeout)
}
