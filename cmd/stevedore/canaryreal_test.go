package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
	"github.com/stevedore-jobs/stevedore/worker"
)

// On a server of every cloud, all kinds of jobs succeed with sealed
// secrets, and none of the secrets is shown.
func TestJobsThatSucceedShowNoSecret(t *testing.T) {
	skipInShort(t)
	t.Parallel()
	for name, arrange := range map[string]func(*testing.T) (tasks.Storage, settings.Settings){
		"s3": s3Connection, "gcs": gcsConnection,
		"azure SAS": sasConnection, "azure account key": accountKeyConnection,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, cfg := arrange(t)
			fill(t, cfg, store)
			runSealed(t, cfg, store)
		})
	}
}

// runSealed runs all kinds of jobs with the secrets of a storage, and
// searches everything that is left for them.
func runSealed(t *testing.T, cfg settings.Settings, store tasks.Storage) {
	t.Helper()
	key, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Redis, cfg.PrivateKeys = queuetest.Start(t).Options(), seal.NewRing(key)
	if cfg.EgressAllow, err = egress.ParseAllow("127.0.0.0/8"); err != nil {
		t.Fatal(err)
	}
	plain, secrets := withPlainSecrets(t, store)
	registry, log := prometheus.NewRegistry(), new(syncBuffer)
	stop := startSealed(t, cfg, log, registry)
	client := producer.New(cfg.Redis, producer.WithPublicKey(key.Public()))
	defer func() { _ = client.Close() }()

	st := &secretsTest{metrics: registry}
	left := map[string][]byte{}
	for _, j := range everyJob(plain) {
		id, err := client.Enqueue(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		s, err := client.Wait(ctx, id, nil)
		cancel()
		text, wrong := json.Marshal(s)
		if err != nil || wrong != nil || s.State != tasks.StateSucceeded {
			t.Errorf("%s: %v, %v, %s", j.Kind(), err, wrong, text)
		}
		left[id] = text
	}
	stop()
	r := cfg.Redis.Client()
	defer func() { _ = r.Close() }()
	for key, value := range redisContent(t, r) {
		left["Redis, "+key] = value
	}
	left["the log"], left["the metrics"], left["Redis's journal"] = log.Bytes(), st.scrape(), redisJournal(t, r)
	for what, text := range left {
		for _, secret := range secrets {
			wantNoSecret(t, what, text, secret)
		}
	}
}

// withPlainSecrets returns a storage with the values of its secrets in
// place of references, and the values.
func withPlainSecrets(t *testing.T, store tasks.Storage) (tasks.Storage, []string) {
	t.Helper()
	var secrets []string
	plain, err := store.MapSecrets(func(ref tasks.Secret) (tasks.Secret, error) {
		value, err := providers.Secrets{Any: true}.Resolve(ref)
		secrets = append(secrets, value)
		return tasks.PlainSecret(value), err
	})
	if err != nil || len(secrets) == 0 {
		t.Fatal(len(secrets), err)
	}
	return plain, secrets
}

// startSealed runs a worker until stop is called.
func startSealed(t *testing.T, cfg settings.Settings, log io.Writer, r prometheus.Registerer) (stop func()) {
	t.Helper()
	setup, err := workerConfig(cfg, cfg.Logger(log), r)
	if err != nil {
		t.Fatal(err)
	}
	w, err := worker.New(setup, jobs(cfg)...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// wantNoSecret searches a text, and what is compressed in it, for parts
// of a secret.
func wantNoSecret(t *testing.T, what string, text []byte, secret string) {
	t.Helper()
	const size = 24
	parts := []string{secret}
	if len(secret) > 2*size {
		parts = []string{secret[len(secret)/2:][:size], secret[len(secret)-size:]}
	}
	for _, part := range parts {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(part))
		for _, needle := range []string{part, hex.EncodeToString([]byte(part)), encoded[:len(encoded)-1]} {
			for _, blob := range append(unpack(text), text) {
				if i := bytes.Index(blob, []byte(needle)); i >= 0 {
					t.Errorf("%s shows a secret: %s", what, fmt.Sprintf("%q", blob[max(0, i-60):i]))
				}
			}
		}
	}
}
