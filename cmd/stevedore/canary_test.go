package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure"
	"github.com/stevedore-jobs/stevedore/providers/gcs"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
	"github.com/stevedore-jobs/stevedore/worker"
)

// A canary is a secret of these tests. secretsTest is a Redis, a
// worker, and servers that put all canaries that they know into their
// answers.
type secretsTest struct {
	redis     redis.UniversalClient
	inspector *asynq.Inspector
	client    *producer.Client
	endpoint  string
	dir       string // holds the secrets in files
	log       syncBuffer
	metrics   *prometheus.Registry
	auths     map[string]tasks.Auth // for S3, by the form of their secrets
	clouds    *echoClouds
	others    []tasks.Storage // buckets of the other clouds
}

// Every kind of job runs with secrets of every form, on servers that
// repeat the secrets in every answer: to success and to failure, once
// more after a retry, and until it is cancelled. Nothing that Stevedore
// writes shows one. The test is not parallel because it sets
// environment variables.
func TestNothingShowsACanary(t *testing.T) {
	skipInShort(t)
	st := newSecretsTest(t)
	stop := st.searchMeanwhile(t)
	ids := st.cancelAll(t)
	maps.Copy(ids, st.enqueue(t, append(st.onS3(), st.others...)))
	for id, storage := range ids {
		st.wait(t, id, storage.Bucket)
	}
	st.retry(t, ids)
	stop()
	st.search(t, ids)
}

func newSecretsTest(t *testing.T) *secretsTest {
	t.Helper()
	o := queuetest.Start(t).Options()
	key, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	st := &secretsTest{
		redis: o.Client(), client: producer.New(o, producer.WithPublicKey(key.Public())),
		endpoint: startEchoS3(t).URL, clouds: startEchoClouds(t), dir: t.TempDir(), metrics: prometheus.NewRegistry(),
	}
	st.inspector = asynq.NewInspectorFromRedisClient(st.redis)
	t.Cleanup(func() { _, _ = st.client.Close(), st.redis.Close() })
	st.makeSecrets(t)
	st.runWorker(t, o, key)
	return st
}

// makeSecrets makes the canaries: for S3 in every form, for the other
// clouds in two.
func (st *secretsTest) makeSecrets(t *testing.T) {
	t.Helper()
	st.auths = map[string]tasks.Auth{}
	if err := os.Mkdir(filepath.Join(st.dir, canaryTenant), 0o700); err != nil {
		t.Fatal(err)
	}
	for form, secretOf := range map[string]func(name, value string) tasks.Secret{
		"sealed": func(_, value string) tasks.Secret { return tasks.PlainSecret(value) },
		"env": func(name, value string) tasks.Secret {
			name = "STEVEDORE_SECRET_" + canaryTenant + "_" + name
			t.Setenv(name, value)
			return secret(t, "env:"+name)
		},
		"file": func(name, value string) tasks.Secret {
			path := filepath.Join(st.dir, canaryTenant, name)
			if err := os.WriteFile(path, []byte(value+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return secret(t, "file:"+path)
		},
	} {
		st.auths[form] = tasks.Auth{
			Method: tasks.AuthAccessKey, AccessKeyID: "AKIA" + form,
			SecretAccessKey: secretOf("KEY", core+"/secret+"+form+"="), SessionToken: secretOf("TOKEN", core+"/token+"+form+"="),
		}
		if form == "env" {
			continue // for the other clouds a file is enough
		}
		for _, s := range st.clouds.storages(t, form, secretOf) {
			for _, s.Bucket = range []string{bucketDenied, bucketPage} {
				if s.Bucket == bucketDenied || form == "sealed" {
					st.others = append(st.others, s)
				}
			}
		}
	}
}

// runWorker runs a worker like the worker command. But it sends a
// request only once to a server that fails.
func (st *secretsTest) runWorker(t *testing.T, o redisconn.Options, key seal.PrivateKey) {
	t.Helper()
	text, err := key.Text()
	if err != nil {
		t.Fatal(err)
	}
	c, err := settings.LoadWorker([]string{
		redisURL(o), "STEVEDORE_PRIVATE_KEYS=env:KEY", "KEY=" + text, "STEVEDORE_LOG_LEVEL=debug", "STEVEDORE_DRAIN_TIMEOUT=5s",
		"STEVEDORE_SECRETS_ALLOW=env:STEVEDORE_SECRET_{tenant}_*,file:" + st.dir + "/{tenant}/*",
	})
	if err != nil {
		t.Fatal(err)
	}
	setup, err := workerConfig(c, c.Logger(&st.log), st.metrics)
	if err != nil {
		t.Fatal(err)
	}
	client := everything(configured(t)).egress.Client()
	signIn := *client
	signIn.Transport = azureRedirect{st.clouds, client.Transport}
	setup.Network = nil // storages of Azure name hosts that do not exist
	setup.Providers = providers.Registry{
		"s3":    &s3.Opener{Client: client, Attempts: 1},
		"gcs":   &gcs.Opener{Client: client, Attempts: 1, TokenURL: st.clouds.URL + "/token"},
		"azure": &azure.Opener{Client: &signIn, Attempts: 1},
	}
	w, err := worker.New(setup, jobs(c)...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// searchMeanwhile searches Redis again and again until stop is called.
func (st *secretsTest) searchMeanwhile(t *testing.T) (stop func()) {
	t.Helper()
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		ticks := time.NewTicker(200 * time.Millisecond) // the journal has what is there for a shorter time
		defer ticks.Stop()
		for looks := 0; ; looks++ {
			select {
			case <-done:
				t.Logf("Redis was searched %d times meanwhile", looks)
				return
			case <-ticks.C:
			}
			for key, value := range redisContent(t, st.redis) {
				if reportCanaries(t, "Redis, "+key, value) {
					<-done // one report is enough
					return
				}
			}
		}
	})
	return sync.OnceFunc(func() { close(done); wg.Wait() })
}

// search looks for canaries in everything that remains. The other parts
// of the server's answers must be there, or the search would prove
// nothing.
func (st *secretsTest) search(t *testing.T, ids map[string]tasks.Storage) {
	t.Helper()
	all := map[string][]byte{"the log": st.log.Bytes(), "the metrics": st.scrape(), "Redis's journal": redisJournal(t, st.redis)}
	for key, value := range redisContent(t, st.redis) {
		all["Redis, "+key] = value
	}
	for id, storage := range ids {
		s, err := st.client.Status(t.Context(), id)
		var list []tasks.ObjectError
		var wrong error
		for e, err := range st.client.Errors(t.Context(), id) {
			list, wrong = append(list, e), errors.Join(wrong, err)
		}
		text, bad := json.Marshal(struct {
			tasks.Status
			Errors []tasks.ObjectError
		}{s, list})
		if err != nil || wrong != nil || bad != nil {
			t.Fatal(err, wrong, bad)
		}
		all["job "+id] = text
		wantEvidence(t, s, storage, list, string(text))
	}
	for what, text := range all {
		reportCanaries(t, what, text)
	}
	for want, what := range map[string]string{
		`"level":"DEBUG"`: "the log", "[redacted] token": "the log", "stevedore_attempts_total": "the metrics", "with [redacted]": "Redis's journal",
	} {
		if !strings.Contains(string(all[what]), want) {
			t.Errorf("%q is not in %s: the search proves nothing", want, what)
		}
	}
}

// wantEvidence checks that the status of a job holds the server's
// answer.
func wantEvidence(t *testing.T, s tasks.Status, storage tasks.Storage, list []tasks.ObjectError, text string) {
	t.Helper()
	bucket, want := storage.Bucket, "[redacted]"
	switch {
	case bucket == bucketPage || bucket == bucketBroken && !s.State.Final():
		return
	case bucket == bucketHung:
		isRefused := s.Failure != nil && s.Failure.Kind == "unauthenticated" // before it could hang
		if s.State != tasks.StateCancelled && !isRefused {
			t.Errorf("%s on %s was not cancelled: %s", s.Kind, storage, text)
		}
		return
	case bucket == bucketFine:
		if s.State != tasks.StateSucceeded {
			t.Errorf("%s on %s has not succeeded: %s", s.Kind, storage, text)
		}
		return
	case bucket == bucketLong:
		want = "you sent"
	case bucket == bucketHalf && s.Kind == (tasks.VerifyConnection{}).Kind():
		return
	case bucket == bucketHalf && (s.State != tasks.StateSucceeded || len(list) == 0):
		t.Errorf("%s on bucket %s has not succeeded with errors: %s", s.Kind, bucket, text)
	}
	if !strings.Contains(text, want) {
		t.Errorf("%s on %s with %s does not say %q: %s", s.Kind, storage, storage.Auth.Method, want, text)
	}
}

func (st *secretsTest) scrape() []byte {
	w := httptest.NewRecorder()
	promhttp.HandlerFor(st.metrics, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.Bytes()
}

func reportCanaries(t *testing.T, what string, text []byte) bool {
	t.Helper()
	found := findCanaries(what, text)
	if len(found) > 0 {
		t.Errorf("canaries are shown in %d places, the first is %s", len(found), found[0])
	}
	return len(found) > 0
}
