// Package settings reads the settings of the program from the
// environment. It is the only place that knows the names of the
// variables.
//
// A variable that is set to nothing is empty: the default is for a
// variable that is not set at all.
package settings

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// prefix begins the name of every variable.
const prefix = "STEVEDORE_"

// Settings are the settings of a process, read and checked.
type Settings struct {
	Redis    redisconn.Options
	HTTPAddr string // empty: nothing is served

	VerifySlots  int
	JobSlots     int
	ShardSlots   int
	Parallel     int
	ListStreams  int
	BucketShards int // 0: no cap
	TenantShards int // 0: no cap
	MemoryBudget int64
	RedisBudget  int64
	JobObjects   int // 0: any number
	PayloadLimit int64
	DrainTimeout time.Duration

	SecretsAllow []string
	PublicKey    seal.PublicKey
	PrivateKeys  seal.Ring // of a worker only

	EgressAllow    []netip.Prefix
	FileRoots      []string // of a worker only
	FFprobe        string   // of a worker only; empty: no manifests of videos
	WorkerIdentity []string // providers
	STSEndpoint    string
	GCSTokenURL    string

	LogLevel slog.Level
	LogText  bool // plain text, not JSON

	// Warnings name the variables that are no settings although they
	// look like one.
	Warnings []string
}

// variable is a setting: its name without the prefix, its default, and
// how its value is read.
type variable struct {
	name     string
	former   string // an earlier name, which is still read
	fallback string // when the variable is not set
	read     reader
	hidden   bool // the value may hold a secret, so errors do not show it
	worker   bool // it names files of the worker, so other commands do not read it
	machine  bool // the default depends on the machine
}

// variables lists all settings, which are read into s. To add one, add
// its line.
func variables(s *Settings, vars map[string]string) []variable {
	cpus := strconv.Itoa(runtime.GOMAXPROCS(0))
	const redisURL = "redis://127.0.0.1:6379/0"
	const secrets = "env:" + prefix + "SECRET_*,file:/run/secrets/*"
	return []variable{
		{name: "REDIS_URL", fallback: redisURL, read: redis(&s.Redis), hidden: true},
		{name: "HTTP_ADDR", fallback: ":8080", read: address(&s.HTTPAddr)},
		{name: "VERIFY_SLOTS", fallback: "4", read: count(&s.VerifySlots, 1, maxSlots)},
		{name: "JOB_SLOTS", fallback: "16", read: count(&s.JobSlots, 1, maxSlots)},
		{name: "SHARD_SLOTS", fallback: cpus, machine: true,
			read: count(&s.ShardSlots, 1, maxSlots)},
		{name: "PARALLEL", fallback: "32", read: count(&s.Parallel, 1, maxSlots)},
		{name: "LIST_STREAMS", fallback: "16", read: count(&s.ListStreams, 1, maxSlots)},
		{name: "BUCKET_SHARDS", fallback: "0", read: count(&s.BucketShards, 0, maxCap)},
		{name: "TENANT_SHARDS", fallback: "0", read: count(&s.TenantShards, 0, maxCap)},
		{name: "MEMORY_BUDGET", fallback: halfMemory(), machine: true,
			read: size(&s.MemoryBudget)},
		{
			name: "REDIS_BUDGET", former: "PARTS_BUDGET",
			fallback: "256MiB", read: size(&s.RedisBudget),
		},
		{name: "JOB_OBJECTS", fallback: "50000000", read: count(&s.JobObjects, 0, maxObjects)},
		{name: "PAYLOAD_LIMIT", fallback: "1MiB", read: size(&s.PayloadLimit)},
		{name: "DRAIN_TIMEOUT", fallback: "20s", read: duration(&s.DrainTimeout)},
		{name: "SECRETS_ALLOW", fallback: secrets, read: patterns(&s.SecretsAllow)},
		{name: "PUBLIC_KEY", read: publicKey(&s.PublicKey), hidden: true},
		{name: "PRIVATE_KEYS", read: keyRing(&s.PrivateKeys, vars), hidden: true, worker: true},
		{name: "EGRESS_ALLOW", read: networks(&s.EgressAllow)},
		{name: "FILE_ROOTS", read: directories(&s.FileRoots), worker: true},
		{name: "FFPROBE", read: program(&s.FFprobe), worker: true},
		{name: "WORKER_IDENTITY", read: identities(&s.WorkerIdentity)},
		{name: "STS_ENDPOINT", read: endpoint(&s.STSEndpoint), hidden: true},
		{name: "GCS_TOKEN_URL", read: endpoint(&s.GCSTokenURL), hidden: true},
		{name: "LOG_LEVEL", fallback: "info", read: level(&s.LogLevel)},
		{name: "LOG_FORMAT", fallback: "json", read: format(&s.LogText)},
	}
}

// Load reads the settings of a command that is no worker. It reports
// all that is wrong with them in one *InvalidError.
func Load(environ []string) (Settings, error) { return load(environ, false) }

// LoadWorker reads the settings of a worker: Load, and those that name
// files of the worker.
func LoadWorker(environ []string) (Settings, error) { return load(environ, true) }

func load(environ []string, worker bool) (Settings, error) {
	vars := Map(environ)
	var s Settings
	var invalid InvalidError
	for _, v := range variables(&s, vars) {
		if v.worker && !worker {
			continue
		}
		name, value := v.find(vars)
		for _, err := range separate(v.read(value)) {
			invalid.Faults = append(invalid.Faults, v.fault(name, value, err))
		}
	}
	s.Warnings = unknown(vars, s.SecretsAllow)
	if len(invalid.Faults) > 0 {
		return s, &invalid
	}
	return s, nil
}

// find returns the value of a variable, and the name by which it is set:
// perhaps its former one.
func (v variable) find(vars map[string]string) (name, value string) {
	for _, name := range []string{v.name, v.former} {
		if value, isSet := vars[prefix+name]; isSet && name != "" {
			return prefix + name, value
		}
	}
	return prefix + v.name, v.fallback
}

// separate returns the errors that were joined to one.
func separate(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// Map returns the environment as variables and their values. The last
// value of a variable counts.
func Map(environ []string) map[string]string {
	vars := make(map[string]string, len(environ))
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		vars[name] = value
	}
	return vars
}

// maxShown is how many bytes of a value an error shows.
const maxShown = 200

// fault says which variable is wrong, what it is, and what to give.
func (v variable) fault(name, value string, err error) error {
	switch {
	case value == "":
		return fmt.Errorf("%s is empty: %w", name, err)
	case v.hidden:
		return fmt.Errorf("%s: %w", name, err)
	}
	return fmt.Errorf("%s is %q: %w", name, value[:min(len(value), maxShown)], err)
}

// InvalidError lists everything that is wrong with the settings.
type InvalidError struct{ Faults []error }

// Error returns one line a fault.
func (e *InvalidError) Error() string {
	var text strings.Builder
	text.WriteString("the settings are not valid:")
	for _, fault := range e.Faults {
		text.WriteString("\n  " + fault.Error())
	}
	return text.String()
}

// Unwrap returns the faults.
func (e *InvalidError) Unwrap() []error { return e.Faults }

// HTTPAddr identifies a setting that only this program has.
const HTTPAddr setting.ID = "http-addr"

// Name returns the variable of a setting, for example
// STEVEDORE_EGRESS_ALLOW for egress-allow.
func Name(id setting.ID) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(string(id), "-", "_"))
}

// Logger returns a logger that writes as the settings say.
func (s Settings) Logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: s.LogLevel}
	if s.LogText {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}
