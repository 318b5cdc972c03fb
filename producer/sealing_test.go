package producer_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

const canary = "c4n4ryc4n4ryc4n4ry"

// withSecrets is a job with two secrets.
func withSecrets(secret, token tasks.Secret) tasks.GenerateThumbnails {
	to := tasks.Storage{Provider: "s3", Bucket: "t", Auth: tasks.Auth{
		Method: tasks.AuthAccessKey, AccessKeyID: "AKIA", SecretAccessKey: secret, SessionToken: token,
	}}
	return tasks.GenerateThumbnails{Source: tasks.Storage{Provider: "mem", Bucket: "b"}, Destination: &to}
}

func sealing(t *testing.T, o redisconn.Options) (*producer.Client, seal.PrivateKey) {
	t.Helper()
	k, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	c := producer.New(o, producer.WithPublicKey(k.Public()))
	t.Cleanup(func() { _ = c.Close() })
	return c, k
}

// payload returns the payload of a job in Redis. The record and
// asynq's task must hold the same.
func payload(t *testing.T, o redisconn.Options, j tasks.Job, id string) tasks.GenerateThumbnails {
	t.Helper()
	kind, err := tasks.Lookup(j.Kind())
	if err != nil {
		t.Fatal(err)
	}
	info, err := inspector(t, o).GetTaskInfo(kind.Policy.Queue, id)
	if err != nil {
		t.Fatal(err)
	}
	r := o.Client()
	defer func() { _ = r.Close() }()
	record, err := r.HGet(t.Context(), "stevedore:{"+id+"}:job", "payload").Result()
	if err != nil || record != string(info.Payload) || strings.Contains(record, canary) {
		t.Errorf("the record holds %s, the task %s, %v", record, info.Payload, err)
	}
	got, err := kind.Decode(info.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return got.(tasks.GenerateThumbnails)
}

func TestEnqueueSeals(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, key := sealing(t, o)
	j := withSecrets(tasks.PlainSecret(canary+"1"), tasks.PlainSecret(canary+"2"))
	id, err := c.Enqueue(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	to := payload(t, o, j, id).Destination
	auth, bound := to.Auth, seal.Binding{Job: id, Kind: j.Kind(), Destination: to.Destination()}
	for want, s := range map[string]tasks.Secret{canary + "1": auth.SecretAccessKey, canary + "2": auth.SessionToken} {
		got, err := seal.NewRing(key).Open(bound, s.Sealed())
		if got != want || err != nil {
			t.Errorf("%q opens as %q, %v", s.Sealed(), got, err)
		}
	}
	if !j.Destination.Auth.SecretAccessKey.IsPlain() {
		t.Error("the caller's job was changed")
	}
}

// Without a key a plain secret is refused before any call to Redis.
// Here there is no Redis.
func TestPlainSecretWithoutKeyIsRefused(t *testing.T) {
	t.Parallel()
	c := client(t, redisconn.Options{Addr: "127.0.0.1:1"})
	_, err := c.Enqueue(t.Context(), withSecrets(tasks.PlainSecret(canary), tasks.Secret{}))
	if !errors.Is(err, producer.ErrPlainSecret) || strings.Contains(err.Error(), canary) {
		t.Errorf("%v", err)
	}
}

func TestSealedSecretNeedsItsID(t *testing.T) {
	t.Parallel()
	c, key := sealing(t, queuetest.Embedded(t))
	s, err := tasks.PlainSecret(canary).Seal(key.Public(), seal.Binding{Job: "mine", Kind: "generate-thumbnails"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Enqueue(t.Context(), withSecrets(s, tasks.Secret{})); !errors.Is(err, producer.ErrSealedNoID) {
		t.Errorf("without its ID: %v", err)
	}
	if _, err := c.Enqueue(t.Context(), withSecrets(s, tasks.Secret{}), producer.WithID("mine")); err != nil {
		t.Errorf("with it: %v", err)
	}
}

// Each sealing gives another text, but it is the same job.
func TestSealedAgainIsTheSameJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	first, _ := sealing(t, o)
	second, _ := sealing(t, o) // it has another key, as after a change of keys
	j := withSecrets(tasks.PlainSecret(canary), tasks.Secret{})
	var wg sync.WaitGroup
	for range 4 {
		for _, c := range []*producer.Client{first, second} {
			wg.Go(func() {
				if id, err := c.Enqueue(t.Context(), j, producer.WithID("mine")); err != nil || id != "mine" {
					t.Errorf("%q, %v", id, err)
				}
			})
		}
	}
	wg.Wait()
	if n := pending(t, inspector(t, o), tasks.QueueJobs); n != 1 {
		t.Errorf("%d tasks", n)
	}
	sealed := payload(t, o, j, "mine").Destination.Auth.SecretAccessKey
	if sealed.Sealed() == "" {
		t.Error("the secret is not sealed")
	}
	other := j
	other.Size = 99
	if _, err := first.Enqueue(t.Context(), other, producer.WithID("mine")); !errors.Is(err, producer.ErrIDReused) {
		t.Errorf("another job under the same ID: %v", err)
	}
	reference, err := tasks.SecretRef("env:NAME")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Enqueue(t.Context(), withSecrets(reference, tasks.Secret{}), producer.WithID("mine")); !errors.Is(err, producer.ErrIDReused) {
		t.Errorf("a reference in place of the sealed secret: %v", err)
	}
}
