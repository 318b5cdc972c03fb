package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo/dataset"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/network"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// maxWait is how long any command of a test may take. On a busy machine
// a whole test takes some ten seconds.
const maxWait = 2 * time.Minute

// call runs a command as the shell would.
func call(ctx context.Context, environ []string, stdin string, args ...string) (code cli.ExitCode, out, errs string) {
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	var o, e bytes.Buffer
	code = run(ctx, args, cli.Console{In: strings.NewReader(stdin), Out: &o, Err: &e, Environ: environ})
	return code, o.String(), e.String()
}

// want runs a command, which must end with an exit code, and returns
// its output.
func want(ctx context.Context, t *testing.T, exit cli.ExitCode, environ []string, args ...string) (out, errs string) {
	t.Helper()
	code, out, errs := call(ctx, environ, "", args...)
	if code != exit {
		t.Fatalf("%s: exit %d\n%s\n%s%v", strings.Join(args, " "), code, out, errs, context.Cause(ctx))
	}
	return out, errs
}

// startWorker runs the worker command beside a test. The context ends
// when the worker does, so that the test does not wait for one that has
// failed. stop ends the worker and returns its log.
func startWorker(t *testing.T, environ []string) (ctx context.Context, stop func() string) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan string, 1)
	go func() {
		var errs bytes.Buffer
		code := run(ctx, []string{"worker"}, cli.Console{Err: &errs, Environ: environ})
		cancel(errors.New("the worker has ended: " + errs.String()))
		if code != cli.ExitOK {
			errs.WriteString("the worker has failed\n")
		}
		ended <- errs.String()
	}()
	t.Cleanup(func() { cancel(nil) })
	return ctx, func() string {
		t.Helper()
		cancel(nil)
		select {
		case log := <-ended:
			return log
		case <-time.After(maxWait):
			t.Fatal("the worker does not stop")
			return ""
		}
	}
}

func redisURL(o redisconn.Options) string {
	return "STEVEDORE_REDIS_URL=redis://:" + o.Password + "@" + o.Addr + "/0"
}

// configured returns the settings of an environment.
func configured(t *testing.T, environ ...string) settings.Settings {
	t.Helper()
	s, err := settings.LoadWorker(environ)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// drawDataset draws the demo's data set into a new directory.
func drawDataset(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := dataset.Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func secret(t *testing.T, ref string) tasks.Secret {
	t.Helper()
	s, err := tasks.SecretRef(ref)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// secretFile returns a reference to a new file that holds a secret.
func secretFile(t *testing.T, value string) tasks.Secret {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
		t.Fatal(err)
	}
	return secret(t, "file:"+path)
}

// open opens a storage with the rights of the person at the keyboard.
func open(t *testing.T, cfg settings.Settings, s tasks.Storage) providers.Bucket {
	t.Helper()
	a := everything(cfg)
	openers, err := registry(a, network.New(a.egress))
	if err != nil {
		t.Fatal(err)
	}
	b, err := openers.Open(t.Context(), s, providers.Secrets{Any: true})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fill draws the demo's data set into a bucket.
func fill(t *testing.T, cfg settings.Settings, s tasks.Storage) {
	t.Helper()
	b := open(t, cfg, s)
	err := dataset.Draw(func(key string, data []byte) error {
		_, err := b.Put(t.Context(), key, bytes.NewReader(data), providers.WriteOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// startedLocal starts a queue and a worker in this process.
func startedLocal(t *testing.T, cfg settings.Settings) *local {
	t.Helper()
	here, err := startLocal(t.Context(), cfg, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(here.stop)
	return here
}

// runAll runs the jobs of the demo on a bucket that holds its data set.
func runAll(t *testing.T, cfg settings.Settings, s tasks.Storage) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), maxWait)
	defer cancel()
	var out bytes.Buffer
	err := demo.RunJobs(ctx, cli.Console{Out: &out, Err: &out}, startedLocal(t, cfg).client, s)
	if err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// skipInShort skips a test that takes long, or that starts servers or
// processes.
func skipInShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long, or starts servers or processes: run it without -short")
	}
}
