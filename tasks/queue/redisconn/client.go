package redisconn

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// Client returns a client that gives up soon: it repeats a call only
// briefly, and a call ends with its context. It connects at the first
// call.
func (o Options) Client() redis.UniversalClient {
	u := o.universal()
	u.ContextTimeoutEnabled = true
	u.DialTimeout = 2 * time.Second
	return o.connect(u, markOutage{})
}

// Patient returns a client for what must not be lost while Redis
// restarts: it repeats a call for about 20 seconds.
func (o Options) Patient() redis.UniversalClient {
	u := o.universal()
	u.ContextTimeoutEnabled = true
	o.retryLong(u)
	return o.connect(u, markOutage{})
}

// MakeRedisClient implements asynq.RedisConnOpt, for asynq's servers.
// Their acknowledgements must survive a restart of Redis. But since
// asynq 0.25 the second try of an acknowledgement has a context that
// is already cancelled, so the task of a failed acknowledgement runs
// again minutes later. Two things cure that: the hook makes the
// second try work, and long retries let the first try survive a short
// outage.
func (o Options) MakeRedisClient() any {
	u := o.universal()
	o.retryLong(u)
	return o.connect(u, ignoreCancel{})
}

// retryLong makes each call repeat for about 20 seconds. The client
// of a cluster counts repetitions as redirects. The clients of its
// nodes must not repeat as well, or the tries would multiply.
func (o Options) retryLong(u *redis.UniversalOptions) {
	const tries = 14
	u.MaxRetryBackoff = 2 * time.Second
	if o.Mode == Cluster {
		u.MaxRedirects = tries
	} else {
		u.MaxRetries = tries
	}
}

// connect chooses the client by the mode. redis.NewUniversalClient
// would guess it from the number of addresses.
func (o Options) connect(u *redis.UniversalOptions, hook redis.Hook) redis.UniversalClient {
	var c redis.UniversalClient
	switch o.Mode {
	case Cluster:
		c = redis.NewClusterClient(u.Cluster())
	case Sentinel:
		c = redis.NewFailoverClient(u.Failover())
	default:
		c = redis.NewClient(u.Simple())
	}
	c.AddHook(hook)
	return c
}

// passHook is a hook that changes nothing. Hooks embed it.
type passHook struct{}

func (passHook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (passHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (passHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ignoreCancel lets a script of asynq run until the deadline of its
// context, which is that of the task's lease, even if asynq has
// cancelled the context. Only scripts acknowledge tasks, so other
// commands stay as they are.
type ignoreCancel struct{ passHook }

func (ignoreCancel) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		deadline, ok := ctx.Deadline()
		script := cmd.Name() == "evalsha" || cmd.Name() == "eval"
		cancelled := errors.Is(ctx.Err(), context.Canceled)
		if !ok || !script || !cancelled || time.Until(deadline) <= 0 {
			return next(ctx, cmd)
		}

		fresh, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
		defer cancel()
		return next(fresh, cmd)
	}
}
