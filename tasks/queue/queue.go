// Package queue is what producers and workers share in Redis: the connection,
// the names of keys, the shape of asynq tasks, and a job's record with the
// Lua scripts that change it.
//
// It knows no cloud and no job: a payload, a part and a result are bytes to
// it.
package queue

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Mode is how Redis is run.
type Mode string

// The modes. The zero value is a single server.
const (
	Single   Mode = ""
	Cluster  Mode = "cluster"
	Sentinel Mode = "sentinel" // one server, and sentinels that say which one it is now
)

// Options say how to reach Redis, version 6.2 or newer. It must not evict
// keys (maxmemory-policy noeviction).
//
// A user of Redis's access lists needs no more than AccessRules.
type Options struct {
	Addr     string // host:port; of a cluster some nodes, else the sentinels, with commas between them
	Mode     Mode
	Master   string // the name that the sentinels know the server by
	Username string // for ACLs; empty for the default user
	Password string
	DB       int         // always 0 in a cluster
	TLS      *tls.Config // nil means plain TCP; sentinels are asked in the same way

	SentinelUsername string // when the sentinels too want to know who asks
	SentinelPassword string
}

// AccessRules are the rights that producers and workers need, as ACL SETUSER
// takes them. INFO is for the monitor only. What is left out are the commands
// that reach beyond the keys: the server's settings, other clients, all data
// at once, the functions and scripts of others.
const AccessRules = "resetkeys ~asynq:* ~stevedore:* resetchannels &asynq:cancel &stevedore:* " +
	"+@all -@admin -@dangerous -function -script +info"

// String is the address and database, for messages. It holds no credentials.
func (o Options) String() string {
	switch o.Mode {
	case Cluster:
		return "redis cluster at " + o.Addr
	case Sentinel:
		return fmt.Sprintf("redis %s of the sentinels at %s db %d", o.Master, o.Addr, o.DB)
	}
	return fmt.Sprintf("redis at %s db %d", o.Addr, o.DB)
}

// Client connects lazily, for an application: its calls end with their
// context and are repeated only briefly.
func (o Options) Client() redis.UniversalClient {
	u := o.universal()
	u.ContextTimeoutEnabled = true
	u.DialTimeout = 2 * time.Second
	return o.connect(u)
}

// MakeRedisClient implements asynq.RedisConnOpt for asynq's servers. Their
// acknowledgements must outlive a Redis restart: since asynq 0.25 its second
// try runs on a context that is already cancelled, so a task whose
// acknowledgement failed once runs again minutes later. The hook and the long
// retries below cure that; the hook alone mends the second try, the retries
// alone a short outage.
func (o Options) MakeRedisClient() any {
	u := o.universal()
	o.persist(u)
	c := o.connect(u)
	c.AddHook(uncancel{})
	return c
}

// Patient is a client for what must not be lost while Redis restarts: each
// call goes on trying for about 20 seconds.
func (o Options) Patient() redis.UniversalClient {
	u := o.universal()
	u.ContextTimeoutEnabled = true
	o.persist(u)
	return o.connect(u)
}

// persist makes each call go on trying for about 20 seconds. A cluster's
// client does the repeating itself and counts it as redirects; its nodes'
// clients must not repeat as well, or the tries would multiply.
func (o Options) persist(u *redis.UniversalOptions) {
	const tries = 14
	u.MaxRetryBackoff = 2 * time.Second
	if o.Mode == Cluster {
		u.MaxRedirects = tries
	} else {
		u.MaxRetries = tries
	}
}

func (o Options) universal() *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs: strings.Split(o.Addr, ","), MasterName: o.Master, DB: o.DB, TLSConfig: o.TLS,
		Username: o.Username, Password: o.Password,
		SentinelUsername: o.SentinelUsername, SentinelPassword: o.SentinelPassword,
		DisableIdentity: true, // CLIENT SETINFO is unknown to Redis < 7.2 and fills its ACL log
	}
}

// connect goes by the mode: NewUniversalClient would guess it from the number
// of addresses.
func (o Options) connect(u *redis.UniversalOptions) redis.UniversalClient {
	switch o.Mode {
	case Cluster:
		return redis.NewClusterClient(u.Cluster())
	case Sentinel:
		return redis.NewFailoverClient(u.Failover())
	}
	return redis.NewClient(u.Simple())
}

// uncancel lets a script of asynq's run until the lease deadline that its
// context carries, although asynq has cancelled the context itself. Only
// scripts acknowledge, so nothing else is touched.
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
