package redisconn

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience is how long a patient client repeats a call.
const patience = 20 * time.Second

// Client returns a client that gives up soon: it repeats a call only
// briefly, and a call ends with its context. It connects at the first
// call.
func (o Options) Client() redis.UniversalClient {
	u := o.universal()
	u.DialTimeout = 2 * time.Second
	return o.connect(u, markOutage{})
}

// Patient returns a client for what must not be lost while Redis
// restarts or fails over: it repeats a call for 20 seconds.
func (o Options) Patient() redis.UniversalClient {
	return o.connect(o.patient(), markOutage{}, limitTime{})
}

// MakeRedisClient implements asynq.RedisConnOpt. Workers use
// ServerClient instead.
func (o Options) MakeRedisClient() any { return o.ServerClient(context.Background()) }

// ServerClient returns the client for asynq's servers, until running
// ends.
//
// Their acknowledgements must survive a restart of Redis. But since
// asynq 0.25 the second try of an acknowledgement has a context that
// is already cancelled, so the task of a failed acknowledgement runs
// again minutes later. Two things cure that: a hook makes the second
// try work, and long retries let the first try survive a short outage.
//
// When running ends, asynq shuts down one part after the other, and
// each waits for its last call. So from then on only acknowledgements
// are repeated.
func (o Options) ServerClient(running context.Context) redis.UniversalClient {
	end := func(f func()) (stop func() bool) { return context.AfterFunc(running, func() { f() }) }
	return o.connect(o.patient(), markOutage{}, ignoreCancel{}, hurry{onEnd: end}, limitTime{})
}

// patient returns options that make a client repeat a call until the
// deadline of its context, which limitTime sets.
func (o Options) patient() *redis.UniversalOptions {
	const enough = 1000
	u := o.universal()
	u.MaxRetryBackoff = time.Second
	// The client of a cluster counts repetitions as redirects. The
	// clients of its nodes must not repeat as well, or the tries would
	// multiply.
	if o.Mode == Cluster {
		u.MaxRedirects = enough
	} else {
		u.MaxRetries = enough
	}
	return u
}

// connect chooses the client by the mode. redis.NewUniversalClient
// would guess it from the number of addresses. The first hook sees a
// call first, and its error last.
func (o Options) connect(u *redis.UniversalOptions, hooks ...redis.Hook) redis.UniversalClient {
	silence()
	var c redis.UniversalClient
	switch o.Mode {
	case Cluster:
		c = newCluster(u)
	case Sentinel:
		u.DialerRetries = 1 // each try asks all sentinels, several times
		c = redis.NewFailoverClient(u.Failover())
	default:
		c = redis.NewClient(u.Simple())
	}
	for _, h := range hooks {
		c.AddHook(h)
	}
	return c
}
