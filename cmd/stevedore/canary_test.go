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

// mine is a coal mine: a Redis, a worker, a server that tells everything, and
// the canaries.
type mine struct {
	redis     redis.UniversalClient
	inspector *asynq.Inspector
	client    *producer.Client
	endpoint  string
	dir       string // of the secrets in files
	log       logbook
	metrics   *prometheus.Registry
	auths     map[string]tasks.Auth // S3's, by the form of their secrets
	clouds    *rumour
	others    []tasks.Storage // of the other clouds, on their buckets
}

// Every job with secrets of every form, on a server that repeats them in
// whatever it says: nothing that Stevedore writes shows one. Not parallel: it
// sets environment variables.
func TestNothingShowsACanary(t *testing.T) {
	m := openMine(t)
	stop := m.watch(t)
	ids := m.enqueue(t)
	for id, storage := range ids {
		m.wait(t, id, storage.Bucket)
	}
	stop()
	m.search(t, ids)
}

func openMine(t *testing.T) *mine {
	t.Helper()
	o := queuetest.Start(t).Options()
	key, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	m := &mine{
		redis: o.Client(), client: producer.New(o, producer.WithPublicKey(key.Public())),
		endpoint: startGossip(t).URL, clouds: startRumour(t), dir: t.TempDir(), metrics: prometheus.NewRegistry(),
	}
	m.inspector = asynq.NewInspectorFromRedisClient(m.redis)
	t.Cleanup(func() { _, _ = m.client.Close(), m.redis.Close() })
	m.cage(t)
	m.work(t, o, key)
	return m
}

// cage makes the canaries: a secret access key and a session token of every
// form, and the other clouds' secrets of two.
func (m *mine) cage(t *testing.T) {
	t.Helper()
	m.auths = map[string]tasks.Auth{}
	for form, secretOf := range map[string]func(name, value string) tasks.Secret{
		"sealed": func(_, value string) tasks.Secret { return tasks.PlainSecret(value) },
		"env": func(name, value string) tasks.Secret {
			t.Setenv("STEVEDORE_SECRET_"+name, value)
			return secret(t, "env:STEVEDORE_SECRET_"+name)
		},
		"file": func(name, value string) tasks.Secret {
			if err := os.WriteFile(filepath.Join(m.dir, name), []byte(value+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return secret(t, "file:"+filepath.Join(m.dir, name))
		},
	} {
		m.auths[form] = tasks.Auth{
			Method: tasks.AuthAccessKey, AccessKeyID: "AKIA" + form,
			SecretAccessKey: secretOf("KEY", core+"/secret+"+form+"="), SessionToken: secretOf("TOKEN", core+"/token+"+form+"="),
		}
		if form == "env" {
			continue // with the other clouds a file is as good
		}
		for _, s := range m.clouds.storages(t, form, secretOf) {
			for _, s.Bucket = range []string{bucketDenied, bucketPage} {
				if s.Bucket == bucketDenied || form == "sealed" {
					m.others = append(m.others, s)
				}
			}
		}
	}
}

// work runs a worker, as the command does but for how often it asks a server
// that fails.
func (m *mine) work(t *testing.T, o redisconn.Options, key seal.PrivateKey) {
	t.Helper()
	text, err := key.Text()
	if err != nil {
		t.Fatal(err)
	}
	c, err := settings.LoadWorker([]string{
		redisURL(o), "STEVEDORE_PRIVATE_KEYS=env:KEY", "KEY=" + text, "STEVEDORE_LOG_LEVEL=debug", "STEVEDORE_DRAIN_TIMEOUT=5s",
		"STEVEDORE_SECRETS_ALLOW=env:STEVEDORE_SECRET_*,file:" + m.dir + "/*",
	})
	if err != nil {
		t.Fatal(err)
	}
	setup, err := workerConfig(c, c.Logger(&m.log), m.metrics)
	if err != nil {
		t.Fatal(err)
	}
	client := everything(configured(t)).egress.Client()
	signIn := *client
	signIn.Transport = detour{m.clouds, client.Transport}
	setup.Network = nil // the servers of this test are not where the storages say
	setup.Providers = providers.Registry{
		"s3":    &s3.Opener{Client: client, Attempts: 1},
		"gcs":   &gcs.Opener{Client: client, Attempts: 1, TokenURL: m.clouds.URL + "/token"},
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

// watch searches Redis again and again until it is stopped.
func (m *mine) watch(t *testing.T) (stop func()) {
	t.Helper()
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		ticks := time.NewTicker(200 * time.Millisecond) // what comes and goes in between is in the journal
		defer ticks.Stop()
		for looks := 0; ; looks++ {
			select {
			case <-done:
				t.Logf("looked through Redis %d times meanwhile", looks)
				return
			case <-ticks.C:
			}
			for key, value := range dump(t, m.redis) {
				if shown(t, "Redis, "+key, value) {
					<-done // once is enough
					return
				}
			}
		}
	})
	return sync.OnceFunc(func() { close(done); wg.Wait() })
}

// enqueue puts every job on the queue for every storage. It returns the
// storages by job ID.
func (m *mine) enqueue(t *testing.T) map[string]tasks.Storage {
	t.Helper()
	ids := map[string]tasks.Storage{}
	kinds := map[string]bool{}
	for _, s := range append(m.onS3(), m.others...) {
		for _, j := range everyJob(s) {
			id, err := m.client.Enqueue(t.Context(), j)
			if err != nil {
				t.Fatal(err)
			}
			shown(t, "the job as text", fmt.Appendf(nil, "%v %+v %#v", j, j, j))
			ids[id], kinds[j.Kind()] = s, true
		}
	}
	if len(kinds) != len(tasks.Kinds()) {
		t.Errorf("only %v are searched", kinds)
	}
	return ids
}

// onS3 are the storages with secrets of every form, for every way in which
// the server fails.
func (m *mine) onS3() (all []tasks.Storage) {
	for _, bucket := range []string{bucketDenied, bucketShut, bucketHalf, bucketBroken, bucketMoved, bucketPage, bucketLong} {
		for form, auth := range m.auths {
			if form != "sealed" && bucket != bucketDenied && bucket != bucketHalf {
				continue // how the server fails has nothing to do with the form
			}
			all = append(all, tasks.Storage{Provider: "s3", Bucket: bucket, Region: "us-east-1", Endpoint: m.endpoint, Auth: auth})
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

// wait waits for the end of a job or, where it would be tried for long, for
// its first failure in asynq.
func (m *mine) wait(t *testing.T, id, bucket string) {
	t.Helper()
	queuetest.Eventually(t, 2*time.Minute, "job "+id+" on "+bucket, func() bool {
		s, err := m.client.Status(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		kind, err := tasks.Lookup(s.Kind)
		if err != nil {
			t.Fatal(err)
		}
		info, err := m.inspector.GetTaskInfo(kind.Policy.Queue, id)
		return s.State.Final() || bucket == bucketBroken && err == nil && info.LastErr != ""
	})
}

// search looks through all that is left. What the server said must be there,
// so that the search is not in vain.
func (m *mine) search(t *testing.T, ids map[string]tasks.Storage) {
	t.Helper()
	all := map[string][]byte{"the log": m.log.Bytes(), "the metrics": m.scrape(), "Redis's journal": journal(t, m.redis)}
	for key, value := range dump(t, m.redis) {
		all["Redis, "+key] = value
	}
	for id, storage := range ids {
		s, err := m.client.Status(t.Context(), id)
		var list []tasks.ObjectError
		var wrong error
		for e, err := range m.client.Errors(t.Context(), id) {
			list, wrong = append(list, e), errors.Join(wrong, err)
		}
		told, bad := json.Marshal(struct {
			tasks.Status
			Errors []tasks.ObjectError
		}{s, list})
		if err != nil || wrong != nil || bad != nil {
			t.Fatal(err, wrong, bad)
		}
		all["job "+id] = told
		telling(t, s, storage, list, string(told))
	}
	for what, text := range all {
		shown(t, what, text)
	}
	for want, what := range map[string]string{
		`"level":"DEBUG"`: "the log", "[redacted] token": "the log", "stevedore_attempts_total": "the metrics", "with [redacted]": "Redis's journal",
	} {
		if !strings.Contains(string(all[what]), want) {
			t.Errorf("%q is not in %s: the search is in vain", want, what)
		}
	}
}

// telling checks that a job came far enough to have something to tell.
func telling(t *testing.T, s tasks.Status, storage tasks.Storage, list []tasks.ObjectError, told string) {
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
		t.Errorf("%s on bucket %s has not succeeded with errors: %s", s.Kind, bucket, told)
	}
	if !strings.Contains(told, want) {
		t.Errorf("%s on %s with %s does not say %q: %s", s.Kind, storage, storage.Auth.Method, want, told)
	}
}

func (m *mine) scrape() []byte {
	w := httptest.NewRecorder()
	promhttp.HandlerFor(m.metrics, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.Bytes()
}

func shown(t *testing.T, what string, text []byte) bool {
	t.Helper()
	found := sightings(what, text)
	if len(found) > 0 {
		t.Errorf("canaries are shown in %d places, the first is %s", len(found), found[0])
	}
	return len(found) > 0
}
