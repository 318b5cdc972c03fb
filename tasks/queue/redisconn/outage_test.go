package redisconn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// answer is an error that Redis itself has sent.
type answer string

func (a answer) Error() string { return string(a) }
func (answer) RedisError()     {}

func TestWrapRecognisesOutages(t *testing.T) {
	t.Parallel()
	for want, errs := range map[bool][]error{
		true: {
			answer("LOADING Redis is loading the dataset in memory"),
			answer("CLUSTERDOWN The cluster is down"),
			answer("TRYAGAIN Multiple keys"),
			answer("READONLY You can't write against a read only replica."),
			answer("MASTERDOWN Link with MASTER is down"),
			answer("NOREPLICAS Not enough good replicas to write."),
			answer("BUSY Redis is busy running a script."),
			answer("ERR max number of clients reached"),
			answer("OOM command not allowed"),
			io.EOF,
			io.ErrUnexpectedEOF,
			context.DeadlineExceeded,
			redis.ErrClosed,
			redis.ErrPoolTimeout,
			redis.ErrPoolExhausted,
			net.ErrClosed,
			syscall.ECONNRESET,
			&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
			&net.DNSError{Err: "no such host", Name: "cache.example"},
			fmt.Errorf("failed to authenticate: %w", io.EOF),
		},
		false: {
			answer("NOPERM this user has no permissions"),
			answer("WRONGTYPE Operation against a key"),
			answer("ERR LOADING"),
			answer("ERR no such connection"),
			answer("ERR value is not an EOF"),
			redis.Nil,
			context.Canceled,
			errors.New("bad connection string"),
			errors.New("EOF in payload"),
		},
	} {
		for _, cause := range errs {
			err := redisconn.Wrap(cause, "get %s", "k")
			if errors.Is(err, redisconn.ErrUnavailable) != want {
				t.Errorf("%v: an outage is %v, want %v", err, !want, want)
			}
			if !errors.Is(err, cause) || !strings.HasSuffix(err.Error(), cause.Error()) {
				t.Errorf("%v does not wrap %v", err, cause)
			}
			again := redisconn.Wrap(err, "try")
			if strings.Count(again.Error(), redisconn.ErrUnavailable.Error()) > 1 {
				t.Errorf("%v says twice that redis does not answer", again)
			}
		}
	}
	if redisconn.Wrap(nil, "get") != nil {
		t.Error("Wrap(nil) is an error")
	}
}

// fakeRedis accepts connections and treats each with serve.
func fakeRedis(t *testing.T, serve func(net.Conn)) redisconn.Options {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
		}
	}()
	return redisconn.Options{Addr: l.Addr().String()}
}

// What go-redis and asynq really return in an outage is recognised,
// although asynq keeps only the text of some errors.
func TestRealOutages(t *testing.T) {
	t.Parallel()
	closed := fakeRedis(t, func(c net.Conn) { _ = c.Close() })
	reset := fakeRedis(t, func(c net.Conn) {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	})
	mute := fakeRedis(t, func(c net.Conn) { t.Cleanup(func() { _ = c.Close() }) })
	loading := fakeRedis(t, func(c net.Conn) {
		go func() {
			defer func() { _ = c.Close() }()
			for buffer := make([]byte, 1<<12); ; {
				if _, err := c.Read(buffer); err != nil {
					return
				}
				_, _ = io.WriteString(c, "-LOADING Redis is loading the dataset in memory\r\n")
			}
		}()
	})
	for name, o := range map[string]redisconn.Options{
		"nobody listens":            {Addr: "127.0.0.1:1"},
		"closes each connection":    closed,
		"resets each connection":    reset,
		"never answers":             mute,
		"loads its data":            loading,
		"no such host":              {Addr: "no-such-host.invalid:6379"},
		"cluster, nobody listens":   {Mode: redisconn.Cluster, Addr: "127.0.0.1:1,127.0.0.1:2"},
		"sentinels, nobody listens": {Mode: redisconn.Sentinel, Addr: "127.0.0.1:1,127.0.0.1:2", Master: "m"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := o.Client()
			defer func() { _ = c.Close() }()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, enqueued := asynq.NewClientFromRedisClient(c).EnqueueContext(ctx, asynq.NewTask("t", nil))
			for what, err := range map[string]error{
				"get":     c.Get(ctx, "k").Err(),
				"script":  redis.NewScript("return 1").Run(ctx, c, []string{"k"}).Err(),
				"enqueue": enqueued,
			} {
				if err = redisconn.Wrap(err, "call"); !errors.Is(err, redisconn.ErrUnavailable) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

// All connections of a pool are in use: that passes, too.
func TestFullPoolIsAnOutage(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := redis.NewClient(&redis.Options{
		Addr: o.Addr, Password: o.Password, PoolSize: 1, MaxActiveConns: 1, MaxRetries: -1, PoolTimeout: time.Millisecond,
	})
	defer func() { _ = c.Close() }()
	conn := c.Conn()
	defer func() { _ = conn.Close() }()
	if err := conn.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	err := redisconn.Wrap(c.Get(t.Context(), "k").Err(), "get")
	if !errors.Is(err, redisconn.ErrUnavailable) {
		t.Error(err)
	}
}
