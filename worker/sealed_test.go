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

const canary = "c4n4ryc4n4ryc4n4ry"

// vault is a provider that opens what has the right secret.
type vault struct{}

func (vault) Open(_ context.Context, s tasks.Storage, secrets providers.Secrets) (providers.Bucket, error) {
	value, err := secrets.Resolve(s.Auth.SecretAccessKey)
	if err == nil && value != canary {
		err = providers.Unauthenticated
	}
	return nil, err
}

// verifyOpens is a verification that only opens its storage.
func verifyOpens(ctx context.Context, j tasks.VerifyConnection, env job.Env) (tasks.Result, error) {
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

// What is sealed opens for its own job, with any key of the ring, and for no
// other job.
func TestSealedSecretsOpenForTheirJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	older, newer, foreign := newKey(t), newKey(t), newKey(t)
	c := config(t, o)
	c.Providers = providers.Registry{"s3": vault{}}
	c.Secrets.Keys = seal.NewRing(older, newer)
	start(t, c, jobs{verify: verifyOpens})
	with := func(s tasks.Secret) tasks.VerifyConnection {
		auth := tasks.Auth{Method: tasks.AuthAccessKey, AccessKeyID: "A", SecretAccessKey: s}
		return tasks.VerifyConnection{Storage: tasks.Storage{Provider: "s3", Bucket: "b", Auth: auth}}
	}
	for name, k := range map[string]seal.PrivateKey{"older": older, "newer": newer, "foreign": foreign} {
		p := producer.New(o, producer.WithPublicKey(k.Public()))
		t.Cleanup(func() { _ = p.Close() })
		enqueue(t, p, with(tasks.PlainSecret(canary)), name)
	}
	stolen, err := tasks.PlainSecret(canary).Seal(newer.Public(), seal.Binding{Job: "newer", Kind: "verify-connection"})
	if err != nil {
		t.Fatal(err)
	}
	p := client(t, o)
	enqueue(t, p, with(stolen), "thief")
	for id, want := range map[string]string{"older": "", "newer": "", "foreign": "SecretKeyUnknown", "thief": "SecretNotOpened"} {
		s := wait(t, p, id, 20*time.Second)
		switch {
		case want == "" && s.State != tasks.StateSucceeded:
			t.Errorf("%s: %+v", id, s.Failure)
		case want != "" && (s.Failure == nil || s.Failure.Code != want || s.Failure.Kind != "invalid" || strings.Contains(s.Failure.Message, canary)):
			t.Errorf("%s: %s, %+v, want %s", id, s.State, s.Failure, want)
		case id == "foreign" && !strings.Contains(s.Failure.Message, foreign.Public().ID()):
			t.Errorf("the key is not named: %s", s.Failure.Message)
		}
	}
}
