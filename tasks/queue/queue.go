// Package queue is what producers and workers share in Redis: the connection, the names of keys, the shape of asynq
// tasks, and a job's record with the Lua scripts that change it.
//
// It knows no cloud and no job: a payload, a part and a result are bytes to it.
package queue

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Options say how to reach Redis, version 6.2 or newer. It must not evict keys (maxmemory-policy noeviction).
type Options struct {
	Addr     string // host:port
	Username string // for ACLs; empty for the default user
	Password string
	DB       int
	TLS      *tls.Config // nil means plain TCP
}

// ParseURL reads redis://user:password@host:port/db, or rediss:// for TLS. Its errors do not repeat the URL, which may hold
// a password.
func ParseURL(raw string) (Options, error) {
	o, err := redis.ParseURL(raw)
	if err != nil {
		return Options{}, errors.New("not a Redis URL: give redis://[user:password@]host:port/db, or rediss:// for TLS")
	}
	return Options{Addr: o.Addr, Username: o.Username, Password: o.Password, DB: o.DB, TLS: o.TLSConfig}, nil
}

// String is the address and database, for messages. It holds no credentials.
func (o Options) String() string { return fmt.Sprintf("redis at %s db %d", o.Addr, o.DB) }

// Client connects lazily, for an application: its calls end with their context and are repeated only briefly.
func (o Options) Client() redis.UniversalClient {
	u := o.universal()
	u.ContextTimeoutEnabled = true
	u.DialTimeout = 2 * time.Second
	return redis.NewUniversalClient(u)
}

// MakeRedisClient implements asynq.RedisConnOpt for asynq's servers. Their acknowledgements must outlive a Redis restart:
// since asynq 0.25 its second try runs on a context that is already cancelled, so a task whose acknowledgement failed once
// runs again minutes later. The hook and the long retries below cure that; the hook alone mends the second try, the
// retries alone a short outage.
func (o Options) MakeRedisClient() any {
	u := o.universal()
	u.MaxRetries, u.MaxRetryBackoff = 14, 2*time.Second
	c := redis.NewUniversalClient(u)
	c.AddHook(uncancel{})
	return c
}

// Patient is a client for what must not be lost while Redis restarts: each call goes on trying for about 20 seconds.
func (o Options) Patient() redis.UniversalClient {
	u := o.universal()
	u.ContextTimeoutEnabled = true
	u.MaxRetries, u.MaxRetryBackoff = 14, 2*time.Second
	return redis.NewUniversalClient(u)
}

func (o Options) universal() *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs: []string{o.Addr}, Username: o.Username, Password: o.Password, DB: o.DB, TLSConfig: o.TLS,
		DisableIdentity: true, // CLIENT SETINFO is unknown to Redis < 7.2 and fills its ACL log
	}
}

// uncancel lets a script of asynq's run until the lease deadline that its context carries, although asynq has cancelled
// the context itself. Only scripts acknowledge, so nothing else is touched.
type uncancel struct{}

func (uncancel) DialHook(next redis.DialHook) redis.DialHook { return next }

func (uncancel) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (uncancel) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		deadline, ok := ctx.Deadline()
		script := cmd.Name() == "evalsha" || cmd.Name() == "eval"
		if !ok || !script || !errors.Is(ctx.Err(), context.Canceled) || time.Until(deadline) <= 0 {
			return next(ctx, cmd)
		}
		fresh, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
		defer cancel()
		return next(fresh, cmd)
	}
}

// ErrAway means that Redis was not reached, or is not ready yet: the same call may succeed later.
var ErrAway = errors.New("redis does not answer")

// Wrap adds to an error of Redis or asynq what was being done, and ErrAway when that is what it means. nil stays nil.
func Wrap(err error, format string, args ...any) error {
	switch doing := fmt.Sprintf(format, args...); {
	case err == nil:
		return nil
	case isConnection(err) && !errors.Is(err, ErrAway):
		return fmt.Errorf("%s: %w: %w", doing, ErrAway, err)
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}

// isConnection reports whether an error means that Redis was not reached, or is not ready yet, rather than that it
// answered with a refusal.
func isConnection(err error) bool {
	var netErr net.Error
	var redisErr redis.Error
	switch {
	case err == nil:
		return false
	case errors.As(err, &redisErr) && !errors.Is(err, redis.Nil):
		text := redisErr.Error()
		return strings.HasPrefix(text, "LOADING") || strings.HasPrefix(text, "READONLY") || strings.HasPrefix(text, "MASTERDOWN")
	case errors.As(err, &netErr), errors.Is(err, context.DeadlineExceeded), errors.Is(err, redis.ErrClosed):
		return true
	}
	return strings.Contains(err.Error(), "EOF") || strings.Contains(err.Error(), "connection")
}
