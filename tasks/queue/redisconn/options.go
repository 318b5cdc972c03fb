// Package redisconn connects to Redis: what to connect to, the URL
// that says so, three sorts of client, and which errors mean an
// outage.
//
// It knows neither jobs nor keys.
package redisconn

import (
	"crypto/tls"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Mode says how Redis is run.
type Mode string

// The modes. The zero value is a single server.
const (
	Single   Mode = ""
	Cluster  Mode = "cluster"
	Sentinel Mode = "sentinel" // one server, and sentinels that know its address
)

// Options say how to reach Redis, version 6.2 or newer. It must not
// evict keys (maxmemory-policy noeviction).
//
// With Redis's access lists, a user needs no more than AccessRules.
type Options struct {
	// Addr is host:port. In the modes Cluster and Sentinel it is a
	// list with commas: some nodes of the cluster, or the sentinels.
	Addr     string
	Mode     Mode
	Master   string // the name that the sentinels know the server by
	Username string // empty means the default user
	Password string
	DB       int         // always 0 in a cluster
	TLS      *tls.Config // nil means plain TCP; connections to sentinels use it too

	SentinelUsername string // for sentinels that ask for a user
	SentinelPassword string
}

// AccessRules are the rights that producers and workers need, in the
// form of ACL SETUSER. Only the monitor uses INFO. The rules allow no
// command that reaches beyond the keys: no server settings, no other
// clients, no command on all data at once, and no functions or
// scripts of other users.
const AccessRules = "resetkeys ~asynq:* ~stevedore:* resetchannels &asynq:cancel &stevedore:* " +
	"+@all -@admin -@dangerous -function -script +info"

// String returns the address and the database, for messages. It shows
// no credentials.
func (o Options) String() string {
	switch o.Mode {
	case Cluster:
		return "redis cluster at " + o.Addr
	case Sentinel:
		return fmt.Sprintf("redis %s of the sentinels at %s db %d", o.Master, o.Addr, o.DB)
	}
	return fmt.Sprintf("redis at %s db %d", o.Addr, o.DB)
}

func (o Options) universal() *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs:            strings.Split(o.Addr, ","),
		MasterName:       o.Master,
		DB:               o.DB,
		TLSConfig:        o.TLS,
		Username:         o.Username,
		Password:         o.Password,
		SentinelUsername: o.SentinelUsername,
		SentinelPassword: o.SentinelPassword,

		ContextTimeoutEnabled: true,
		// Redis before 7.2 does not know CLIENT SETINFO, and logs it
		// as a violation of its access lists.
		DisableIdentity: true,
	}
}
