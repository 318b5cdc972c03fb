package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"runtime"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/dustin/go-humanize"

	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// settings are all the variables there are. The README's table is tested
// against them.
type settings struct {
	RedisURL     string        `env:"STEVEDORE_REDIS_URL" envDefault:"redis://127.0.0.1:6379/0"`
	HTTPAddr     string        `env:"STEVEDORE_HTTP_ADDR" envDefault:":8080"`
	VerifySlots  int           `env:"STEVEDORE_VERIFY_SLOTS" envDefault:"4"`
	JobSlots     int           `env:"STEVEDORE_JOB_SLOTS" envDefault:"16"`
	ShardSlots   int           `env:"STEVEDORE_SHARD_SLOTS"`
	Parallel     int           `env:"STEVEDORE_PARALLEL" envDefault:"32"`
	ListStreams  int           `env:"STEVEDORE_LIST_STREAMS" envDefault:"16"`
	BucketShards int           `env:"STEVEDORE_BUCKET_SHARDS" envDefault:"0"`
	TenantShards int           `env:"STEVEDORE_TENANT_SHARDS" envDefault:"0"`
	MemoryBudget size          `env:"STEVEDORE_MEMORY_BUDGET" envDefault:"512MiB"`
	PartsBudget  size          `env:"STEVEDORE_PARTS_BUDGET" envDefault:"256MiB"`
	DrainTimeout time.Duration `env:"STEVEDORE_DRAIN_TIMEOUT" envDefault:"20s"`
	Secrets      []string      `env:"STEVEDORE_SECRETS_ALLOW" envDefault:"env:STEVEDORE_SECRET_*,file:/run/secrets/*"`
	PublicKey    string        `env:"STEVEDORE_PUBLIC_KEY"`
	PrivateKeys  []string      `env:"STEVEDORE_PRIVATE_KEYS"`
	Egress       string        `env:"STEVEDORE_EGRESS_ALLOW"`
	FileRoots    []string      `env:"STEVEDORE_FILE_ROOTS"`
	Identity     []string      `env:"STEVEDORE_WORKER_IDENTITY"`
	STSEndpoint  string        `env:"STEVEDORE_STS_ENDPOINT"`
	GCSTokenURL  string        `env:"STEVEDORE_GCS_TOKEN_URL"`
	LogLevel     slog.Level    `env:"STEVEDORE_LOG_LEVEL" envDefault:"info"`
	LogFormat    string        `env:"STEVEDORE_LOG_FORMAT" envDefault:"json"`
}

// variable returns the name of the variable that holds a setting.
func variable(id setting.ID) string {
	return "STEVEDORE_" + strings.ToUpper(strings.ReplaceAll(string(id), "-", "_"))
}

// size is a number of bytes, given as "512MiB" or "1GB".
type size int64

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *size) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil || n == 0 || n > math.MaxInt64 {
		return fmt.Errorf("%q is no size: give for example 512MiB", text)
	}
	*s = size(n)
	return nil
}

// config is the settings, read.
type config struct {
	settings
	redis  redisconn.Options
	egress egress.Policy
	public seal.PublicKey
	vars   map[string]string

	identity map[string]bool
}

// load reads the environment and reports all that is wrong with it at once.
func load(environ []string) (config, error) {
	vars := env.ToMap(environ)
	c := config{vars: vars}
	faults := []error{env.ParseWithOptions(&c.settings, env.Options{Environment: vars})}
	var err error
	if c.redis, err = redisconn.ParseURL(c.RedisURL); err != nil && c.RedisURL != "" {
		faults = append(faults, fmt.Errorf("STEVEDORE_REDIS_URL: %w", err))
	}
	if c.public, err = publicKey(c.PublicKey); err != nil {
		faults = append(faults, err)
	}
	if c.egress.Allow, err = egress.ParseAllow(c.Egress); err != nil {
		faults = append(faults, fmt.Errorf("STEVEDORE_EGRESS_ALLOW: %w", err))
	}
	c.identity = map[string]bool{}
	for _, name := range c.Identity {
		if c.identity[name] = true; name != "s3" && name != "gcs" && name != "azure" {
			faults = append(faults, fmt.Errorf("STEVEDORE_WORKER_IDENTITY: %q is none of s3, gcs, azure", name))
		}
	}
	if c.LogFormat != "json" && c.LogFormat != "text" && c.LogFormat != "" {
		faults = append(faults, fmt.Errorf("STEVEDORE_LOG_FORMAT: %q is neither json nor text", c.LogFormat))
	}
	if vars["STEVEDORE_SHARD_SLOTS"] == "" {
		c.ShardSlots = runtime.GOMAXPROCS(0)
	}
	for name, slots := range map[string]int{
		"STEVEDORE_VERIFY_SLOTS": c.VerifySlots, "STEVEDORE_JOB_SLOTS": c.JobSlots,
		"STEVEDORE_SHARD_SLOTS": c.ShardSlots, "STEVEDORE_PARALLEL": c.Parallel,
		"STEVEDORE_LIST_STREAMS": c.ListStreams,
	} {
		if slots < 1 {
			faults = append(faults, fmt.Errorf("%s: must be at least 1", name))
		}
	}
	for name, shards := range map[string]int{"STEVEDORE_BUCKET_SHARDS": c.BucketShards, "STEVEDORE_TENANT_SHARDS": c.TenantShards} {
		if shards < 0 {
			faults = append(faults, fmt.Errorf("%s: must not be negative; 0 means no cap", name))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return c, invalid(err)
	}
	return c, nil
}

func (c config) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}
