package worker_test

import (
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/base64"
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
	p := newClient(t, o)
	sealed, err := tasks.SealSecrets(withSecret(tasks.PlainSecret(secretValue)), "newer", newer.Public())
	if err != nil {
		t.Fatal(err)
	}
	enqueue(t, p, sealed, "thief")
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

// A sealed secret that is enqueued again opens only for the tenant and
// the bucket that it was sealed for: nobody can send it to a server of
// their own.
func TestSealedSecretsStayAtTheirBucket(t *testing.T) {
	t.Parallel()
	o, k := queuetest.Embedded(t), newKey(t)
	c := newConfig(t, o)
	c.Providers = providers.Registry{"s3": secretOpener{}, "gcs": secretOpener{}}
	c.Secrets.Keys = seal.NewRing(k)
	startWorker(t, c, testJobs{verify: openStorage})
	p := newClient(t, o)

	own := withSecret(tasks.PlainSecret(secretValue))
	own.Tenant, own.Storage.Endpoint = "acme", "https://minio.example"
	moves := map[string]func(*tasks.VerifyConnection){
		"itself":         func(*tasks.VerifyConnection) {},
		"another-prefix": func(j *tasks.VerifyConnection) { j.Storage.Prefix = "a/" },
		"another-server": func(j *tasks.VerifyConnection) { j.Storage.Endpoint = "https://evil.example" },
		"plain-http":     func(j *tasks.VerifyConnection) { j.Storage.Endpoint = "http://minio.example" },
		"the-cloud":      func(j *tasks.VerifyConnection) { j.Storage.Endpoint = "" },
		"another-bucket": func(j *tasks.VerifyConnection) { j.Storage.Bucket = "evil" },
		"another-tenant": func(j *tasks.VerifyConnection) { j.Tenant = "evil" },
		"no-tenant":      func(j *tasks.VerifyConnection) { j.Tenant = "" },
	}
	for id, move := range moves {
		sealed, err := tasks.SealSecrets(own, id, k.Public())
		if err != nil {
			t.Fatal(err)
		}
		j := sealed.(tasks.VerifyConnection)
		move(&j)
		enqueue(t, p, j, id)
	}
	for id := range moves {
		s := waitForJob(t, p, id, 20*time.Second)
		if id == "itself" || id == "another-prefix" {
			if s.State != tasks.StateSucceeded {
				t.Errorf("%s: %+v", id, s.Failure)
			}
			continue
		}
		if s.Failure == nil || s.Failure.Kind != "invalid" || s.Failure.Code != "SecretNotOpened" {
			t.Errorf("%s: %s, %+v", id, s.State, s.Failure)
		}
	}
}

// Keys can be changed while jobs wait, and while jobs that failed wait
// for a retry.
func TestSealedSecretsOpenAfterAChangeOfKeys(t *testing.T) {
	t.Parallel()
	o, older, newer := queuetest.Embedded(t), newKey(t), newKey(t)
	p := producer.New(o, producer.WithPublicKey(older.Public()))
	t.Cleanup(func() { _ = p.Close() })
	enqueue(t, p, withSecret(tasks.PlainSecret(secretValue)), "early")
	c := newConfig(t, o)
	c.Providers = providers.Registry{"s3": secretOpener{}}
	c.Secrets.Keys = seal.NewRing(newer)
	first := startWorker(t, c, testJobs{verify: openStorage})
	if s := waitForJob(t, p, "early", 20*time.Second); s.Failure == nil || s.Failure.Code != "SecretKeyUnknown" {
		t.Errorf("without the key: %s, %+v", s.State, s.Failure)
	}
	first.stop()

	enqueue(t, p, withSecret(tasks.PlainSecret(secretValue)), "waiting")
	c.Registry = nil
	c.Secrets.Keys = seal.NewRing(newer, older)
	startWorker(t, c, testJobs{verify: openStorage})
	if err := p.Retry(t.Context(), "early"); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"early", "waiting"} {
		if s := waitForJob(t, p, id, 20*time.Second); s.State != tasks.StateSucceeded {
			t.Errorf("%s: %s, %+v", id, s.State, s.Failure)
		}
	}
}

// A secret that an older version has sealed is refused. The reason says
// why, and what to do.
func TestOldSealsAreRefused(t *testing.T) {
	t.Parallel()
	o, k := queuetest.Embedded(t), newKey(t)
	c := newConfig(t, o)
	c.Providers = providers.Registry{"s3": secretOpener{}}
	c.Secrets.Keys = seal.NewRing(k)
	startWorker(t, c, testJobs{verify: openStorage})
	p := newClient(t, o)
	_, text, _ := strings.Cut(k.Public().String(), ":")
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	public, err := hpke.DHKEM(ecdh.X25519()).NewPublicKey(data)
	if err != nil {
		t.Fatal(err)
	}
	info := []byte("stevedore sealed secret v1\x00old\x00verify-connection")
	sealed, err := hpke.Seal(public, hpke.HKDFSHA256(), hpke.AES256GCM(), info, []byte(secretValue))
	if err != nil {
		t.Fatal(err)
	}
	old, err := tasks.SecretRef("sealed:" + k.Public().ID() + ":" + base64.RawURLEncoding.EncodeToString(sealed))
	if err != nil {
		t.Fatal(err)
	}
	enqueue(t, p, withSecret(old), "old")
	s := waitForJob(t, p, "old", 20*time.Second)
	if s.Failure == nil || s.Failure.Code != "SecretSealOutdated" || strings.Contains(s.Failure.Message, secretValue) {
		t.Fatalf("%s, %+v", s.State, s.Failure)
	}
	for _, want := range []string{"older version of Stevedore", "not bind a secret to the bucket", "Update the producer", "new ID"} {
		if text := s.Failure.Message + s.Failure.Fix; !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
}
