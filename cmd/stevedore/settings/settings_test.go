package settings_test

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

func load(t *testing.T, environ ...string) settings.Settings {
	t.Helper()
	s, err := settings.LoadWorker(environ)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	s := load(t, "PATH=/bin")
	want := settings.Settings{
		Redis: s.Redis, HTTPAddr: ":8080",
		VerifySlots: 4, JobSlots: 16, ShardSlots: runtime.GOMAXPROCS(0), Parallel: 32, ListStreams: 16,
		MemoryBudget: s.MemoryBudget, RedisBudget: 256 << 20, JobObjects: 50_000_000, PayloadLimit: 1 << 20, DrainTimeout: 20 * time.Second,
		SecretsAllow: []string{"env:STEVEDORE_SECRET_*", "file:/run/secrets/*"},
		PrivateKeys:  s.PrivateKeys,
	}
	if !reflect.DeepEqual(s, want) || s.Redis.Addr != "127.0.0.1:6379" || len(s.PrivateKeys.IDs()) > 0 || s.MemoryBudget < 1<<20 {
		t.Errorf("the defaults are\n%+v, want\n%+v", s, want)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := load(t,
		"STEVEDORE_HTTP_ADDR=[::1]:0", "STEVEDORE_SHARD_SLOTS=3", "STEVEDORE_BUCKET_SHARDS=12",
		"STEVEDORE_MEMORY_BUDGET=1.5 GiB", "STEVEDORE_REDIS_BUDGET=2gb", "STEVEDORE_DRAIN_TIMEOUT=1m30s",
		"STEVEDORE_EGRESS_ALLOW=10.0.0.0/8, ::1", "STEVEDORE_FILE_ROOTS="+dir+", /",
		"STEVEDORE_WORKER_IDENTITY=s3, azure", "STEVEDORE_STS_ENDPOINT=https://sts.example",
		"STEVEDORE_LOG_LEVEL=warn", "STEVEDORE_LOG_FORMAT=text", "STEVEDORE_PARALLEL=1", "STEVEDORE_PARALLEL=2",
	)
	if s.HTTPAddr != "[::1]:0" || s.ShardSlots != 3 || s.BucketShards != 12 || s.MemoryBudget != 3<<29 || s.RedisBudget != 2e9 ||
		s.DrainTimeout != 90*time.Second || len(s.EgressAllow) != 2 || !slices.Equal(s.FileRoots, []string{dir, "/"}) ||
		!slices.Equal(s.WorkerIdentity, []string{"s3", "azure"}) || s.STSEndpoint != "https://sts.example" ||
		s.LogLevel != slog.LevelWarn || !s.LogText || s.Parallel != 2 {
		t.Errorf("%+v", s)
	}
}

// An operator who forbids all references to secrets, or turns the port
// off, sets the variable to nothing. That must not mean the default.
func TestEmptyIsEmpty(t *testing.T) {
	t.Parallel()
	s := load(t,
		"STEVEDORE_HTTP_ADDR=", "STEVEDORE_SECRETS_ALLOW=", "STEVEDORE_EGRESS_ALLOW=", "STEVEDORE_FILE_ROOTS=",
		"STEVEDORE_WORKER_IDENTITY=", "STEVEDORE_STS_ENDPOINT=", "STEVEDORE_GCS_TOKEN_URL=",
		"STEVEDORE_PUBLIC_KEY=", "STEVEDORE_PRIVATE_KEYS=")
	if s.HTTPAddr != "" || len(s.SecretsAllow) != 0 {
		t.Errorf("it listens on %q and allows the secrets %q", s.HTTPAddr, s.SecretsAllow)
	}
	_, err := settings.Load([]string{
		"STEVEDORE_REDIS_URL=", "STEVEDORE_PARALLEL=", "STEVEDORE_MEMORY_BUDGET=", "STEVEDORE_DRAIN_TIMEOUT=",
		"STEVEDORE_LOG_LEVEL=", "STEVEDORE_LOG_FORMAT=",
	})
	wantFaults(t, err,
		"STEVEDORE_REDIS_URL is empty: not a Redis URL",
		"STEVEDORE_PARALLEL is empty: give a whole number from 1 to 10000",
		"STEVEDORE_MEMORY_BUDGET is empty: give a size of at least 1MiB with its unit",
		"STEVEDORE_DRAIN_TIMEOUT is empty: give a duration above zero",
		"STEVEDORE_LOG_LEVEL is empty: give debug, info, warn or error",
		"STEVEDORE_LOG_FORMAT is empty: give json or text",
	)
}

// wantFaults checks that there are exactly these faults, each by its
// beginning.
func wantFaults(t *testing.T, err error, want ...string) {
	t.Helper()
	var invalid *settings.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("%v is no *InvalidError", err)
	}
	if len(invalid.Faults) != len(want) {
		t.Errorf("there are %d faults, want %d: %v", len(invalid.Faults), len(want), err)
		return
	}
	for i, fault := range invalid.Faults {
		if !strings.HasPrefix(fault.Error(), want[i]) {
			t.Errorf("fault %d is\n%s, want\n%s", i, fault, want[i])
		}
		if !strings.Contains(err.Error(), "\n  "+fault.Error()) {
			t.Errorf("the error does not show fault %d: %v", i, err)
		}
	}
}

func TestEachFaultNamesVariableAndValue(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		"PARALLEL=0":                  `is "0": give a whole number from 1 to 10000`,
		"VERIFY_SLOTS=-1":             `is "-1": give a whole number from 1 `,
		"JOB_SLOTS=1.5":               `is "1.5": give a whole number from 1 `,
		"SHARD_SLOTS=100000":          `is "100000": give a whole number from 1 to 10000`,
		"LIST_STREAMS=many":           `is "many": give a whole number from 1 `,
		"TENANT_SHARDS=-1":            `is "-1": give a whole number from 0 `,
		"BUCKET_SHARDS=x":             `is "x": give a whole number from 0 `,
		"MEMORY_BUDGET=512":           `is "512": give the unit too: 512MiB, or 512GiB`,
		"MEMORY_BUDGET=1073741824":    `is "1073741824": give the unit too: as bytes it is 1.0 GiB`,
		"REDIS_BUDGET=268435456":      `is "268435456": give the unit too: as bytes it is 256 MiB`,
		"REDIS_BUDGET=0MiB":           `is "0MiB": give a size of at least 1MiB`,
		"PARTS_BUDGET=1kB":            `is "1kB": give a size of at least 1MiB`,
		"PAYLOAD_LIMIT=1024":          `is "1024": give the unit too: `,
		"JOB_OBJECTS=-1":              `is "-1": give a whole number from 0 `,
		"MEMORY_BUDGET=lots":          `is "lots": give a size`,
		"MEMORY_BUDGET=-1GB":          `is "-1GB": give a size`,
		"DRAIN_TIMEOUT=20":            `is "20": give the unit too: 20s for seconds, 20m for minutes`,
		"DRAIN_TIMEOUT=0s":            `is "0s": give a duration above zero`,
		"DRAIN_TIMEOUT=-5s":           `is "-5s": give a duration above zero`,
		"DRAIN_TIMEOUT=soon":          `is "soon": give a duration above zero`,
		"HTTP_ADDR=8080":              `is "8080": give host:port or :port`,
		"HTTP_ADDR=127.0.0.1:http":    `is "127.0.0.1:http": give host:port or :port`,
		"HTTP_ADDR=:70000":            `is ":70000": give host:port or :port`,
		"SECRETS_ALLOW=env:A,B":       `is "env:A,B": "B" is no pattern of secrets`,
		"SECRETS_ALLOW=file:secrets":  `is "file:secrets": "file:secrets" is no pattern`,
		"SECRETS_ALLOW=env:[":         `is "env:[": "env:[" is no pattern`,
		"SECRETS_ALLOW=env:*":         `is "env:*": "env:*" lets payloads name STEVEDORE_REDIS_URL`,
		"SECRETS_ALLOW=env:{tenant}*": `is "env:{tenant}*": "env:{tenant}*" lets one tenant name the secrets of another`,
		"EGRESS_ALLOW=10.0.0.0/8,lan": `is "10.0.0.0/8,lan": "lan" is neither a network`,
		"FFPROBE=ffprobe":             `is "ffprobe": ffprobe is not absolute`,
		"FFPROBE=/no/such/program":    `is "/no/such/program": the program cannot be used: stat /no/such/program: no such file`,
		"FFPROBE=" + file:             `is "` + file + `": ` + file + ` is not a program`,
		"FILE_ROOTS=data":             `is "data": data is not absolute`,
		"FILE_ROOTS=/no/such/dir":     `is "/no/such/dir": the directory cannot be used: stat /no/such/dir: no such file`,
		"FILE_ROOTS=/," + file:        `is "/,` + file + `": ` + file + ` is not a directory`,
		"WORKER_IDENTITY=s3,file":     `is "s3,file": "file" is none of s3, gcs, azure`,
		"STS_ENDPOINT=sts.example":    `: give a URL that begins with https://`,
		"GCS_TOKEN_URL=https://:80":   `: give a URL that begins with https://`,
		"STS_ENDPOINT=https://h/?a=b": `: give a URL without a user`,
		"LOG_LEVEL=loud":              `is "loud": give debug, info, warn or error`,
		"LOG_FORMAT=xml":              `is "xml": give json or text`,
		"REDIS_URL=http://x":          `: not a Redis URL`,
	} {
		name, _, _ := strings.Cut(value, "=")
		_, err := settings.LoadWorker([]string{"STEVEDORE_" + value})
		separator := " "
		if strings.HasPrefix(want, ":") {
			separator = ""
		}
		wantFaults(t, err, "STEVEDORE_"+name+separator+want)
	}
}

// A value that may hold a secret is not repeated.
func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	key, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.Text()
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(private, ":")
	_, err = settings.LoadWorker([]string{
		"STEVEDORE_REDIS_URL=http://user:hush@x", "STEVEDORE_PUBLIC_KEY=" + private,
		"STEVEDORE_PRIVATE_KEYS=" + private + ",/no/such/key,env:NONE," + body + ",Stevedore-Private-Key:" + body,
		"STEVEDORE_STS_ENDPOINT=https://user:hush@x", "STEVEDORE_GCS_TOKEN_URL=https://x?hush",
	})
	wantFaults(t, err, "STEVEDORE_REDIS_URL: ", "STEVEDORE_PUBLIC_KEY: this is the private key",
		"STEVEDORE_PRIVATE_KEYS: it must name files or env:NAME", "STEVEDORE_PRIVATE_KEYS: open /no/such/key",
		"STEVEDORE_PRIVATE_KEYS: env:NONE", "STEVEDORE_PRIVATE_KEYS: it must name files or env:NAME",
		"STEVEDORE_PRIVATE_KEYS: it must name files or env:NAME",
		"STEVEDORE_STS_ENDPOINT: ", "STEVEDORE_GCS_TOKEN_URL: ")
	for _, part := range []string{"hush", body} {
		if strings.Contains(err.Error(), part) {
			t.Errorf("a secret is shown: %v", err)
		}
	}
	for _, part := range []string{"/no/such/key", "env:NONE: the variable is not set"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s is not named: %v", part, err)
		}
	}
}

// A client on a laptop may have the variables of a worker, whose files
// are not there.
func TestOnlyWorkersReadTheirFiles(t *testing.T) {
	t.Parallel()
	environ := []string{"STEVEDORE_FILE_ROOTS=/no/such/dir", "STEVEDORE_PRIVATE_KEYS=/no/such/key"}
	if _, err := settings.Load(environ); err != nil {
		t.Errorf("a client: %v", err)
	}
	_, err := settings.LoadWorker(environ)
	wantFaults(t, err, "STEVEDORE_PRIVATE_KEYS: ", "STEVEDORE_FILE_ROOTS is ")
}

func TestWarnOfSharedSecrets(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"":                    "",
		"env:{tenant}":        "",
		"file:/a/{tenant}/*":  "",
		"env:A":               "may name the secrets env:A and send",
		"env:A*,env:{tenant}": "may name the secrets env:A* and send",
		"env:A,file:/b":       "may name the secrets env:A, file:/b and send",
	} {
		got := load(t, "STEVEDORE_SECRETS_ALLOW="+value).WarnOfSharedSecrets()
		if !strings.Contains(got, want) || (got == "") != (want == "") || want != "" && !strings.Contains(got, "{tenant}") {
			t.Errorf("%q: %s", value, got)
		}
	}
}

func TestUnknownVariables(t *testing.T) {
	t.Parallel()
	kubernetes := "KUBERNETES_SERVICE_HOST=10.0.0.1"
	for name, c := range map[string]struct{ environ, want []string }{
		"misspelt":          {[]string{"STEVEDORE_PARALLELS=1"}, []string{"STEVEDORE_PARALLELS is not a setting, and is ignored: do you mean STEVEDORE_PARALLEL?"}},
		"like none":         {[]string{"STEVEDORE_COLOUR=red"}, []string{"STEVEDORE_COLOUR is not a setting, and is ignored"}},
		"two":               {[]string{"STEVEDORE_Z=", "STEVEDORE_FILE_ROOT=/"}, []string{"STEVEDORE_FILE_ROOT is not a setting, and is ignored: do you mean STEVEDORE_FILE_ROOTS?", "STEVEDORE_Z is not a setting, and is ignored"}},
		"secrets":           {[]string{"STEVEDORE_SECRET_ACME=x"}, nil},
		"allowed secrets":   {[]string{"STEVEDORE_SECRETS_ALLOW=env:STEVEDORE_ACME_*", "STEVEDORE_ACME_KEY=x"}, nil},
		"a tenant's secret": {[]string{"STEVEDORE_SECRETS_ALLOW=env:STEVEDORE_OF_{tenant}_*", "STEVEDORE_OF_acme_KEY=x"}, nil},
		"a private key":     {[]string{"STEVEDORE_PRIVATE_KEYS=env:STEVEDORE_KEY", "STEVEDORE_KEY=x"}, nil},
		"tests":             {[]string{"STEVEDORE_TEST_S3_ENDPOINT=x"}, nil},
		"other programs'":   {[]string{"HOME=/", "STEVEDOREX=1", "stevedore_parallel=1"}, nil},
		"in Kubernetes":     {[]string{kubernetes, "STEVEDORE_PORT=tcp://x", "STEVEDORE_SERVICE_HOST=x", "STEVEDORE_METRICS_PORT_8080_TCP_ADDR=x"}, nil},
		"not in Kubernetes": {[]string{"STEVEDORE_PORT=8080"}, []string{"STEVEDORE_PORT is not a setting, and is ignored"}},
	} {
		s, err := settings.Load(c.environ)
		if err != nil || !slices.Equal(s.Warnings, c.want) {
			t.Errorf("%s: %q, %v, want %q", name, s.Warnings, err, c.want)
		}
	}
}

// Advice that refers to a setting can name its variable.
func TestEverySettingHasAVariable(t *testing.T) {
	t.Parallel()
	for _, id := range setting.All() {
		name := settings.Name(id)
		if !slices.ContainsFunc(settings.Variables(), func(v settings.Variable) bool { return v.Name == name }) {
			t.Errorf("%s would be %s, which does not exist", id, name)
		}
	}
}

func TestLogger(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{"json": `"msg":"hello"`, "text": "msg=hello"} {
		var out strings.Builder
		log := load(t, "STEVEDORE_LOG_FORMAT="+format, "STEVEDORE_LOG_LEVEL=warn").Logger(io.Writer(&out))
		log.Info("quiet")
		log.Warn("hello")
		if !strings.Contains(out.String(), want) || strings.Contains(out.String(), "quiet") {
			t.Errorf("%s: %s", format, out.String())
		}
	}
}

// The help names every setting, and says what it is for.
func TestHelp(t *testing.T) {
	t.Parallel()
	text := settings.Help()
	for _, v := range settings.Variables() {
		_, after, ok := strings.Cut(text, "    "+v.Name)
		header, meaning, _ := strings.Cut(after, "\n        ")
		line, _, _ := strings.Cut(meaning, "\n")
		if !ok || !strings.Contains(header, v.Default) || len(line) < 10 || len(line) > 65 {
			t.Errorf("%s: %q, %q", v.Name, header, line)
		}
	}
}

func TestFormerNamesStillWork(t *testing.T) {
	t.Parallel()
	s := load(t, "STEVEDORE_PARTS_BUDGET=2MiB")
	want := []string{"STEVEDORE_PARTS_BUDGET is now called STEVEDORE_REDIS_BUDGET: the old name still works"}
	if s.RedisBudget != 2<<20 || !slices.Equal(s.Warnings, want) {
		t.Errorf("%d bytes, warnings %q", s.RedisBudget, s.Warnings)
	}
	s = load(t, "STEVEDORE_PARTS_BUDGET=2MiB", "STEVEDORE_REDIS_BUDGET=3MiB")
	if s.RedisBudget != 3<<20 {
		t.Errorf("the old name counts more than the new one: %d bytes", s.RedisBudget)
	}
}
