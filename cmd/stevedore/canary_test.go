package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo/dataset"
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
// repeat the secrets in every answer. Nothing that Stevedore writes
// shows one. The test is not parallel because it sets environment
// variables.
func TestNothingShowsACanary(t *testing.T) {
	skipInShort(t)
	st := newSecretsTest(t)
	stop := st.searchMeanwhile(t)
	ids := st.enqueue(t)
	for id, storage := range ids {
		st.wait(t, id, storage.Bucket)
	}
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
	for form, secretOf := range map[string]func(name, value string) tasks.Secret{
		"sealed": func(_, value string) tasks.Secret { return tasks.PlainSecret(value) },
		"env": func(name, value string) tasks.Secret {
			t.Setenv("STEVEDORE_SECRET_"+name, value)
			return secret(t, "env:STEVEDORE_SECRET_"+name)
		},
		"file": func(name, value string) tasks.Secret {
			if err := os.WriteFile(filepath.Join(st.dir, name), []byte(value+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return secret(t, "file:"+filepath.Join(st.dir, name))
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
		"STEVEDORE_SECRETS_ALLOW=env:STEVEDORE_SECRET_*,file:" + st.dir + "/*",
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

// enqueue enqueues every kind of job for every storage. It returns the
// storages by job ID.
func (st *secretsTest) enqueue(t *testing.T) map[string]tasks.Storage {
	t.Helper()
	ids := map[string]tasks.Storage{}
	kinds := map[string]bool{}
	for _, s := range append(st.onS3(), st.others...) {
		for _, j := range everyJob(s) {
			id, err := st.client.Enqueue(t.Context(), j)
			if err != nil {
				t.Fatal(err)
			}
			reportCanaries(t, "the job as text", fmt.Appendf(nil, "%v %+v %#v", j, j, j))
			ids[id], kinds[j.Kind()] = s, true
		}
	}
	if len(kinds) != len(tasks.Kinds()) {
		t.Errorf("only the kinds %v are tested", kinds)
	}
	return ids
}

// onS3 returns storages with secrets of every form, for every way in
// which the server fails.
func (st *secretsTest) onS3() (all []tasks.Storage) {
	for _, bucket := range []string{bucketDenied, bucketShut, bucketHalf, bucketBroken, bucketMoved, bucketPage, bucketLong} {
		for form, auth := range st.auths {
			if form != "sealed" && bucket != bucketDenied && bucket != bucketHalf {
				continue // the other failures do not depend on the form
			}
			all = append(all, tasks.Storage{Provider: "s3", Bucket: bucket, Region: "us-east-1", Endpoint: st.endpoint, Auth: auth})
		}
	}
	return all
}

func everyJob(s tasks.Storage) []tasks.Job {
	return []tasks.Job{
		tasks.VerifyConnection{Storage: s, Need: tasks.Need{Read: true, Write: true, Thumbnails: &s}},
		tasks.BuildManifest{Source: s, Destination: &s},
		tasks.GenerateThumbnails{Source: s, Destination: &s},
		tasks.ExportAnnotations{
			Source: s, Annotations: tasks.Annotations{Storage: &s, Key: dataset.AnnotationsKey, Format: tasks.FormatCVATImages},
			Format: tasks.FormatCOCOInstances, Destination: &s, Key: "out.zip", IncludeImages: true,
		},
	}
}

// wait waits for the end of a job. A job that would be retried for a
// long time needs only to fail once.
func (st *secretsTest) wait(t *testing.T, id, bucket string) {
	t.Helper()
	queuetest.Eventually(t, 2*time.Minute, "job "+id+" on "+bucket, func() bool {
		s, err := st.client.Status(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		kind, err := tasks.Lookup(s.Kind)
		if err != nil {
			t.Fatal(err)
		}
		info, err := st.inspector.GetTaskInfo(kind.Policy.Queue, id)
		return s.State.Final() || bucket == bucketBroken && err == nil && info.LastErr != ""
	})
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
