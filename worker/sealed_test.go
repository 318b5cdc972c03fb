package worker_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

const secretValue = "c4n4ryc4n4ryc4n4ry"

// secretOpener is a provider that opens storages with the right secret.
type secretOpener struct{}

// Open implements providers.Opener.
func (secretOpener) Open(
	_ context.Context, s tasks.Storage, secrets providers.Secrets,
) (providers.Bucket, error) {
	value, err := secrets.Resolve(s.Auth.SecretAccessKey)
	if err == nil && value != secretValue {
		err = providers.Unauthenticated
	}
	return nil, err
}

// openStorage is a verification that only opens its storage.
func openStorage(ctx context.Context, j tasks.VerifyConnection, env job.Env) (tasks.Result, error) {
	_, err := env.Open(ctx, j.Storage)
	return tasks.VerifyConnectionResult{OK: err == nil}, err
}

func newKey(t *testing.T) seal.PrivateKey {
	t.Helper()
	k, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// withSecret returns a verification that needs a secret.
func withSecret(s tasks.Secret) tasks.VerifyConnection {
	auth := tasks.Auth{Method: tasks.AuthAccessKey, AccessKeyID: "A", SecretAccessKey: s}
	return tasks.VerifyConnection{Storage: tasks.Storage{Provider: "s3", Bucket: "b", Auth: auth}}
}

// A sealed secret opens for its own job, with any key of the worker,
// and for no other job.
func TestSealedSecretsOpenForTheirJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	older, newer, foreign := newKey(t), newKey(t), newKey(t)
	c := newConfig(t, o)
	c.Providers = providers.Registry{"s3": secretOpener{}}
	c.Secrets.Keys = seal.NewRing(older, newer)
	startWorker(t, c, testJobs{verify: openStorage})
	for name, k := range map[string]seal.PrivateKey{"older": older, "newer": newer, "foreign": foreign} {
		p := producer.New(o, producer.WithPublicKey(k.Public()))
		t.Cleanup(func() { _ = p.Close() })
		enqueue(t, p, withSecret(tasks.PlainSecret(secretValue)), name)
	}
	stolen, err := tasks.PlainSecret(secretValue).Seal(newer.Public(),
		seal.Binding{Job: "newer", Kind: "verify-connection"})
	if err != nil {
		t.Fatal(err)
	}
	p := newClient(t, o)
	enqueue(t, p, withSecret(stolen), "thief")
	for id, code := range map[string]string{
		"older": "", "newer": "", "foreign": "SecretKeyUnknown", "thief": "SecretNotOpened",
	} {
		s := waitForJob(t, p, id, 20*time.Second)
		if code == "" {
			if s.State != tasks.StateSucceeded {
				t.Errorf("%s: %+v", id, s.Failure)
			}
			continue
		}
		if s.Failure == nil || s.Failure.Code != code || s.Failure.Kind != "invalid" ||
			strings.Contains(s.Failure.Message, secretValue) {
			t.Errorf("%s: %s, %+v, want %s", id, s.State, s.Failure, code)
		}
		if id == "foreign" && !strings.Contains(s.Failure.Message, foreign.Public().ID()) {
			t.Errorf("the key is not named: %s", s.Failure.Message)
		}
	}
}
