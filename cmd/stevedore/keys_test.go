package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

// keygen runs the command. It returns the public key and the file of
// the private one.
func keygen(t *testing.T) (public, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "key")
	code, out, errs := call(t.Context(), nil, "", "keygen", "--out", path)
	if code != cli.ExitOK {
		t.Fatalf("exit %d\n%s", code, errs)
	}
	return strings.TrimSpace(out), path
}

func TestKeygen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	code, out, errs := call(t.Context(), nil, "", "keygen", "--out", path)
	text, err := os.ReadFile(path)
	if code != cli.ExitOK || err != nil {
		t.Fatalf("exit %d, %v\n%s", code, err, errs)
	}
	private, err := seal.ParsePrivateKey(string(text))
	if err != nil || out != private.Public().String()+"\n" || !strings.Contains(errs, private.Public().ID()) || !strings.Contains(errs, path) {
		t.Errorf("%v; it says\n%s%s", err, out, errs)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if strings.Contains(out+errs, strings.TrimSpace(string(text))) {
		t.Error("the private key is shown")
	}
	code, out, errs = call(t.Context(), nil, "", "keygen", "--out", path)
	if again, err := os.ReadFile(path); code != cli.ExitInvalid || out != "" || !strings.Contains(errs, path) || err != nil || string(again) != string(text) {
		t.Errorf("the second time: exit %d, %q, %s, %v", code, out, errs, err)
	}
	if code, _, _ := call(t.Context(), nil, "", "keygen", "--out", filepath.Join(path, "below")); code != cli.ExitInvalid {
		t.Errorf("below a file: exit %d", code)
	}
}

func TestKeyRing(t *testing.T) {
	t.Parallel()
	first, path := keygen(t)
	second, other := keygen(t)
	text, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	c, err := settings.LoadWorker([]string{"STEVEDORE_PRIVATE_KEYS=" + path + ", env:KEY", "KEY=" + string(text), "STEVEDORE_PUBLIC_KEY=" + first})
	if err != nil {
		t.Fatal(err)
	}
	setup, err := workerConfig(c, nil, nil)
	if ids := strings.Join(setup.Secrets.Keys.IDs(), " "); err != nil || len(ids) != 33 || !strings.Contains(ids, c.PublicKey.ID()) {
		t.Errorf("%s, %v; the public keys are %s and %s", ids, err, first, second)
	}
	bad := "STEVEDORE_PRIVATE_KEYS=" + strings.TrimSpace(string(text)) + ",/no/such/key,env:NONE,env:PUBLIC"
	code, _, errs := call(t.Context(), []string{bad, "PUBLIC=" + first}, "", "worker")
	for _, want := range []string{"must not hold a key", "/no/such/key", "env:NONE", "this is the public key"} {
		if code != cli.ExitInvalid || !strings.Contains(errs, want) {
			t.Errorf("exit %d, %q is not in\n%s", code, want, errs)
		}
	}
	if _, body, _ := strings.Cut(strings.TrimSpace(string(text)), ":"); strings.Contains(errs, body) {
		t.Errorf("the key is shown:\n%s", errs)
	}
	code, _, errs = call(t.Context(), []string{"STEVEDORE_PUBLIC_KEY=" + string(text)}, "", "enqueue", "build-manifest", "--source", "s3://b")
	if code != cli.ExitInvalid || !strings.Contains(errs, "this is the private key") {
		t.Errorf("a private key as the public one: exit %d, %s", code, errs)
	}
}

// With a public key, enqueue seals the values of the variables. Without
// one, the payload holds their names.
func TestEnqueueSealsTheEnvironment(t *testing.T) {
	t.Parallel()
	const canary = "c4n4ryc4n4ryc4n4ry"
	public, path := keygen(t)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.ParsePrivateKey(string(text))
	if err != nil {
		t.Fatal(err)
	}
	o := queuetest.Embedded(t)
	environ := []string{redisURL(o), "AWS_ACCESS_KEY_ID=AKIA", "AWS_SECRET_ACCESS_KEY=" + canary + "1", "AWS_SESSION_TOKEN= " + canary + "2\n"}
	enqueue := func(extra ...string) (cli.ExitCode, tasks.Storage, string) {
		code, out, errs := call(t.Context(), append(extra, environ...), "", "enqueue", "build-manifest", "--source", "s3://b", "--tenant", "acme",
			"--endpoint", "https://minio.example", "--id", "mine"+extra[0][:1])
		if strings.Contains(out+errs, canary) {
			t.Errorf("shown: %s%s", out, errs)
		}
		if code != cli.ExitOK {
			return code, tasks.Storage{}, errs
		}
		return code, enqueued(t, o, strings.TrimSpace(out)).Source, errs
	}
	_, source, warning := enqueue("X=")
	auth := source.Auth
	if !strings.Contains(warning, "the values of AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN are not sent") || !strings.Contains(warning, "export STEVEDORE_PUBLIC_KEY") {
		t.Errorf("no warning: %q", warning)
	}
	if auth.SecretAccessKey.Reference() != "env:AWS_SECRET_ACCESS_KEY" || auth.SessionToken.Reference() != "env:AWS_SESSION_TOKEN" {
		t.Errorf("without a key: %q", auth.SecretAccessKey.Reference())
	}
	for range 2 { // both times it is the same job
		code, source, errs := enqueue("STEVEDORE_PUBLIC_KEY=" + public)
		owner := providers.Owner{Job: "mineS", Kind: "build-manifest", Tenant: "acme"}
		secrets := providers.Secrets{Keys: seal.NewRing(key)}.For(owner).At(source)
		secret, err := secrets.Resolve(source.Auth.SecretAccessKey)
		token, wrong := secrets.Resolve(source.Auth.SessionToken)
		if code != cli.ExitOK || errs != "" || err != nil || wrong != nil || secret != canary+"1" || token != canary+"2" {
			t.Errorf("exit %d, %q, %q, %v, %v\n%s", code, secret, token, err, wrong, errs)
		}
	}
	environ = append(environ, "AWS_SECRET_ACCESS_KEY=")
	if code, _, errs := enqueue("STEVEDORE_PUBLIC_KEY=" + public); code != cli.ExitInvalid || !strings.Contains(errs, "AWS_SECRET_ACCESS_KEY is empty") {
		t.Errorf("an empty variable: exit %d, %s", code, errs)
	}
}

// A worker warns at its start if tenants may name each other's secrets.
func TestWorkerWarnsOfSharedSecrets(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{"env:STEVEDORE_SECRET_*": true, "file:/run/secrets/{tenant}/*": false} {
		_, stop := startWorker(t, []string{
			redisURL(queuetest.Embedded(t)), "STEVEDORE_HTTP_ADDR=", "STEVEDORE_LOG_LEVEL=warn", "STEVEDORE_SECRETS_ALLOW=" + value,
		})
		if log := stop(); strings.Contains(log, "every payload may name the secrets "+value) != want {
			t.Errorf("%s: the log is %q", value, log)
		}
	}
}

// enqueued returns the payload in the record of a job.
func enqueued(t *testing.T, o redisconn.Options, id string) tasks.BuildManifest {
	t.Helper()
	r := o.Client()
	defer func() { _ = r.Close() }()
	payload, err := r.HGet(t.Context(), "stevedore:{"+id+"}:job", "payload").Bytes()
	if err != nil {
		t.Fatal(err)
	}
	kind, err := tasks.Lookup("build-manifest")
	if err != nil {
		t.Fatal(err)
	}
	j, err := kind.Decode(payload)
	if err != nil {
		t.Fatal(err)
	}
	return j.(tasks.BuildManifest)
}
