package worker

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/network"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
	"github.com/stevedore-jobs/stevedore/worker/journal"
	"github.com/stevedore-jobs/stevedore/worker/metrics"
)

// Config configures a worker. All fields must be set, but those that
// say otherwise.
type Config struct {
	Redis     redisconn.Options
	Providers providers.Registry
	// Network reaches clouds. Its client is the one that the openers of
	// Providers were made with. Nil means that the network is not
	// checked.
	Network *network.Network
	// Secrets holds which secrets payloads may name, and the keys that
	// open sealed secrets.
	Secrets providers.Secrets

	VerifySlots int // verifications at once
	JobSlots    int // sharded jobs coordinated at once; they mostly wait
	ShardSlots  int // shards and exports at once: the real work
	Parallel    int // requests in flight in each shard
	ListStreams int // listings in flight of one large bucket; below 2 there is one

	// Caps on what runs at once, shared by all workers. 0 means none.
	BucketShards int // shards and exports on one bucket
	TenantShards int // of one tenant: shards and exports; the same for each other pool

	// PayloadLimit is how many bytes a payload may have. 0 means
	// payloadsize.Max.
	PayloadLimit int
	// RedisBudget is how many bytes one job may keep in Redis, compressed.
	// 0 means DefaultRedisBudget.
	RedisBudget int64
	// JobObjects is how many objects one job may have. 0 means
	// DefaultJobObjects, and less means no limit.
	JobObjects int64

	// DrainTimeout is how long a stopping worker waits for jobs that do
	// not obey their context.
	DrainTimeout time.Duration

	// SettingName returns the name under which the operator of this
	// worker knows a setting. It is used in the advice that failures
	// give. Nil means that advice names settings by their identifiers.
	SettingName func(setting.ID) string

	Log      *slog.Logger       // nil means slog.Default
	Registry metrics.Registerer // nil means that no metrics are registered
}

const (
	// DefaultRedisBudget is enough for the manifest of about 20 million
	// images.
	DefaultRedisBudget = 256 << 20
	// DefaultJobObjects is the default of JobObjects.
	DefaultJobObjects = 50_000_000
)

// validate returns all faults at once.
func (c Config) validate() error {
	var faults []error
	add := func(s setting.ID, problem string) {
		faults = append(faults, fmt.Errorf("%s: %s", s, problem))
	}
	if c.Redis.Addr == "" {
		add(setting.RedisURL, "no address is given")
	}
	for _, n := range []struct {
		setting setting.ID
		value   int
	}{
		{setting.VerifySlots, c.VerifySlots},
		{setting.JobSlots, c.JobSlots},
		{setting.ShardSlots, c.ShardSlots},
		{setting.Parallel, c.Parallel},
	} {
		if n.value < 1 {
			add(n.setting, "must be at least 1")
		}
	}
	if c.BucketShards < 0 {
		add(setting.BucketShards, "must not be negative; 0 means no cap")
	}
	if c.TenantShards < 0 {
		add(setting.TenantShards, "must not be negative; 0 means no cap")
	}
	if c.PayloadLimit < 0 {
		add(setting.PayloadLimit, "must not be negative")
	}
	if c.RedisBudget < 0 {
		add(setting.RedisBudget, "must not be negative")
	}
	if c.DrainTimeout <= 0 {
		add(setting.DrainTimeout, "must be longer than 0s")
	}
	return errors.Join(faults...)
}

// withDefaults sets the fields that may be left out.
func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.Log = c.Log.With("worker", journal.WorkerName())
	if c.RedisBudget == 0 {
		c.RedisBudget = DefaultRedisBudget
	}
	if c.JobObjects == 0 {
		c.JobObjects = DefaultJobObjects
	}
	return c
}

// limits returns what one job may cost.
func (c Config) limits() queue.Limits {
	return queue.Limits{Bytes: c.RedisBudget, Objects: max(c.JobObjects, 0)}
}
