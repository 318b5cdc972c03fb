package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo/dataset"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

func TestDemo(t *testing.T) {
	skipInShort(t)
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "demo")
	code, out, errs := call(t.Context(), nil, "", "demo", "--dir", dir)
	if code != cli.ExitOK || !strings.Contains(out, "Everything is as it should be") {
		t.Fatalf("exit %d\n%s\n%s", code, out, errs)
	}
	if code, _, errs := call(t.Context(), nil, "", "demo", "--dir", dir); code != cli.ExitInvalid || !strings.Contains(errs, "not empty") {
		t.Errorf("into a full directory: exit %d, %s", code, errs)
	}
}

func TestInvalidPayloadListsAllFaults(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	code, out, errs := call(t.Context(), []string{redisURL(o)}, `{"source":{"provider":"s3","auth":{"method":"access-key"}},"size":4}`,
		"enqueue", "generate-thumbnails", "-")
	if code != cli.ExitInvalid || out != "" {
		t.Errorf("exit %d, %q", code, out)
	}
	for _, fault := range []string{"source.bucket: empty", "source.auth.access_key_id: empty", "source.auth.secret_access_key: empty", "size: 4 is not"} {
		if !strings.Contains(errs, fault) {
			t.Errorf("%q is not in:\n%s", fault, errs)
		}
	}
}

// A URL becomes a storage that validates. It holds the names of
// credentials, and no credentials.
func TestStorageURL(t *testing.T) {
	t.Parallel()
	for raw, c := range map[string]struct {
		vars map[string]string
		want string
	}{
		"s3://b/cats/":                {map[string]string{"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_REGION": "eu-west-1"}, `"secret_access_key":"env:AWS_SECRET_ACCESS_KEY"`},
		"s3://b":                      {map[string]string{"AWS_DEFAULT_REGION": "eu-west-1"}, `"region":"eu-west-1"`},
		"s3://b/100%/a b/#1/%20/?":    {nil, `"prefix":"100%/a b/#1/%20/?"`},
		"az://acct/pictures/50% #":    {nil, `"prefix":"50% #"`},
		"gs://b/%E7%8C%AB":            {nil, `"prefix":"%E7%8C%AB"`},
		"file:///data/100%/a b#/%20/": {nil, `"bucket":"/data/100%/a b#/%20"`},
		"gs://b/cats/":                {map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": "/keys/k.json"}, `"key_file":"file:/keys/k.json"`},
		"gs://b":                      {map[string]string{"GOOGLE_CLOUD_PROJECT": "p"}, `"project":"p"`},
		"az://acct/pictures/cats/":    {map[string]string{"AZURE_STORAGE_SAS_TOKEN": "hush"}, `"sas_token":"env:AZURE_STORAGE_SAS_TOKEN"`},
		"az://acct/pictures":          {map[string]string{"AZURE_STORAGE_KEY": "hush"}, `"account_key":"env:AZURE_STORAGE_KEY"`},
		"az://acct/photos":            {map[string]string{"AZURE_STORAGE_CONNECTION_STRING": "hush"}, `"connection_string":"env:`},
		"file:///data":                {nil, `"bucket":"/data"`},
	} {
		s, err := schemes().Parse(raw, c.vars)
		if s.Auth.Method == "" && s.Provider != "file" {
			s.Auth.Method = tasks.AuthAnonymous
		}
		if err == nil {
			err = tasks.VerifyConnection{Storage: s}.Validate()
		}
		text, _ := json.Marshal(s)
		if err != nil || !strings.Contains(string(text), c.want) || strings.Contains(string(text), "hush") {
			t.Errorf("%s: %s, %v", raw, text, err)
		}
	}
}

// What is no storage URL gets a sentence that says what to write.
func TestStorageURLMistakes(t *testing.T) {
	t.Parallel()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for raw, want := range map[string]string{
		"file://data/x":  "file://data/x has two slashes: write file:///data/x for the directory /data/x, or file://" + here + "/data/x for data/x in this directory",
		"/data":          "/data has no scheme: for this directory write file:///data, for a bucket s3://bucket/prefix, ",
		"./demo":         "./demo has no scheme: for this directory write file://" + here + "/demo, ",
		"my-bucket/cats": "my-bucket/cats has no scheme: for this directory write file://" + here + "/my-bucket/cats, for a bucket s3://",
		"my-bucket":      "has no scheme: give s3://bucket/prefix, ",
		"":               "is empty: give s3://bucket/prefix, ",
		"https://b.s3.amazonaws.com/k?X-Amz-Signature=hush": "the URL holds a signature, which is a secret: give s3://",
		"az://acct/container?sv=2026-01-01&sig=hush":        "the URL holds a signature",
		"s3://me:hush@b/": "not a storage URL: give s3://",
		"s3:/b":           "no scheme",
	} {
		_, err := schemes().Parse(raw, nil)
		if err == nil || !strings.HasPrefix(err.Error(), want) && !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v, want %q", raw, err, want)
		}
	}
}

func TestCallersMistakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environ []string
		args    []string
		want    string
	}{
		"unknown kind":        {nil, []string{"run", "make-coffee", "--source", "file:///tmp"}, "verify-connection, build-manifest"},
		"unknown field":       {nil, []string{"run", "build-manifest", "--source", "file:///tmp", "--set", "sorce=1"}, "  sorce: unknown field: did you mean source?"},
		"text for a number":   {nil, []string{"run", "generate-thumbnails", "--source", "file:///tmp", "--set", "size=large"}, "  size: needs a number, not a string"},
		"misspelt kind":       {nil, []string{"run", "build-manifests"}, "did you mean build-manifest?"},
		"not JSON":            {nil, []string{"enqueue", "build-manifest", "run.go"}, "  is not JSON: line 1, column 1: "},
		"unknown scheme":      {nil, []string{"run", "build-manifest", "--source", "ftp://b"}, "ftp://b"},
		"secret in a URL":     {nil, []string{"run", "build-manifest", "--source", "s3://key:hush@b"}, "storage URL"},
		"nothing to do":       {nil, []string{"run", "build-manifest"}, "--source"},
		"a flag for nothing":  {nil, []string{"run", "build-manifest", "--source", "file:///tmp", "--region", "eu-west-1"}, "--region: no bucket of the job has one"},
		"two clouds":          {nil, []string{"run", "build-manifest", "--source", "s3://a", "--to", "gs://b", "--endpoint", "http://h"}, "--set source.endpoint=http://h or --set destination.endpoint=http://h"},
		"anonymous directory": {nil, []string{"run", "build-manifest", "--source", "file:///tmp", "--anonymous"}, "--anonymous: source is no bucket with credentials"},
		"nothing at once":     {nil, []string{"run", "build-manifest", "--source", "file:///tmp", "--parallel=-1"}, "--parallel -1: give a whole number above zero"},
		"no such file":        {nil, []string{"run", "build-manifest", "/nowhere.json"}, "/nowhere.json"},
		"no such command":     {nil, []string{"dance"}, "dance"},
		"bad environment":     {[]string{"STEVEDORE_REDIS_URL=http://:hush@x", "STEVEDORE_PARALLEL=0", "STEVEDORE_DRAIN_TIMEOUT=soon"}, []string{"worker"}, "STEVEDORE_REDIS_URL"},
		"all of it is bad":    {[]string{"STEVEDORE_REDIS_URL=http://:hush@x", "STEVEDORE_PARALLEL=0", "STEVEDORE_EGRESS_ALLOW=x"}, []string{"worker"}, "STEVEDORE_EGRESS_ALLOW"},
	} {
		code, _, errs := call(t.Context(), c.environ, "", c.args...)
		if code != cli.ExitInvalid || !strings.Contains(errs, c.want) || strings.Contains(errs, "hush") {
			t.Errorf("%s: exit %d\n%s", name, code, errs)
		}
	}
}

// A misspelt setting is named, and the command goes on.
func TestUnknownSettingIsNamed(t *testing.T) {
	t.Parallel()
	environ := []string{redisURL(queuetest.Embedded(t)), "STEVEDORE_PARALLELS=3"}
	out, errs := want(t.Context(), t, cli.ExitOK, environ, "enqueue", "build-manifest", "--source", "file:///tmp", "--id", "j")
	if out != "j\n" || errs != "stevedore: warning: STEVEDORE_PARALLELS is not a setting, and is ignored: do you mean STEVEDORE_PARALLEL?\n" {
		t.Errorf("%q\n%q", out, errs)
	}
}

// A worker whose port is taken fails at once, and names the setting.
func TestWorkerWithoutItsPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	environ := []string{redisURL(queuetest.Embedded(t)), "STEVEDORE_HTTP_ADDR=" + l.Addr().String()}
	_, errs := want(t.Context(), t, cli.ExitFailed, environ, "worker")
	if !strings.Contains(errs, "STEVEDORE_HTTP_ADDR: ") || !strings.Contains(errs, "address already in use") {
		t.Errorf("%s", errs)
	}
}

func TestEnqueueWithoutRedis(t *testing.T) {
	t.Parallel()
	start := time.Now()
	code, _, errs := call(t.Context(), []string{"STEVEDORE_REDIS_URL=redis://127.0.0.1:1/0"}, "",
		"enqueue", "build-manifest", "--source", "file:///tmp")
	if code != cli.ExitFailed || !strings.Contains(errs, "127.0.0.1:1") || !strings.Contains(errs, "STEVEDORE_REDIS_URL") || time.Since(start) > 6*time.Second {
		t.Errorf("exit %d after %v: %s", code, time.Since(start), errs)
	}
}

func TestRunOnAFile(t *testing.T) {
	skipInShort(t)
	t.Parallel()
	dir := drawDataset(t)
	code, out, errs := call(t.Context(), nil, "", "run", "build-manifest", "--source", "file://"+dir, "--set", "source.prefix=scenes/", "--json")
	r := manifestIn(t, out)
	if code != cli.ExitOK || r.Entries != int64(dataset.Count().Images) {
		t.Errorf("exit %d\n%s\n%s", code, out, errs)
	}
	if !strings.Contains(errs, dataset.CorruptKey+": corrupt-image") {
		t.Errorf("the corrupt image is not named:\n%s", errs)
	}
	if _, err := os.Stat(filepath.Join(dir, "scenes", "manifest.jsonl")); err != nil {
		t.Error(err)
	}
}

// The destination is made, the thumbnails lie in it, and its place is
// printed. Only the keys that are asked for are worked on.
func TestRunToANewDirectory(t *testing.T) {
	t.Parallel()
	dir, to := drawDataset(t), filepath.Join(t.TempDir(), "new/thumbnails")
	run := []string{"run", "generate-thumbnails", "--source", "file://" + dir, "--to", "file://" + to}
	out, _ := want(t.Context(), t, cli.ExitOK, nil, append(run, "--include", "scenes/", "--exclude", "scenes/corrupt", "--parallel", "2")...)
	if !strings.Contains(out, "The result is in "+to+"/\n") {
		t.Errorf("the place is not printed:\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(to, "index.jsonl")); err != nil {
		t.Error(err)
	}
	found, err := filepath.Glob(filepath.Join(to, "scenes", "*.jpg"))
	if err != nil || len(found) != dataset.Count().Images {
		t.Errorf("%d thumbnails of %d, %v", len(found), dataset.Count().Images, err)
	}
	again, _ := want(t.Context(), t, cli.ExitOK, nil, append(run, "--include", "scenes/", "--exclude", "scenes/corrupt")...)
	if !strings.Contains(again, fmt.Sprintf("0 thumbnails written, %d unchanged", dataset.Count().Images)) {
		t.Errorf("the second time:\n%s", again)
	}
	out, _ = want(t.Context(), t, cli.ExitFailed, nil, "run", "build-manifest", "--source", "file:///no/such/directory")
	if !strings.Contains(out, "there is no such directory") || !strings.Contains(out, "Check the path /no/such/directory") {
		t.Errorf("a source that does not exist:\n%s", out)
	}
}

// A verification may call its bucket source.
func TestSetSourceOfAVerification(t *testing.T) {
	t.Parallel()
	args := []string{"run", "verify-connection", "--source", "file:///tmp", "--set", "source.prefix=/x"}
	if _, errs := want(t.Context(), t, cli.ExitInvalid, nil, args...); !strings.Contains(errs, "storage.prefix: starts with a slash") {
		t.Errorf("%s", errs)
	}
}

// A verification that finds a fault has an exit code of its own.
func TestRunFindsAMissingBucket(t *testing.T) {
	t.Parallel()
	code, out, _ := call(t.Context(), nil, "", "run", "verify-connection", "--source", "file:///no/such/directory")
	if code != cli.ExitFaults || !strings.Contains(out, "fail") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// The commands that talk to the queue, while a worker runs.
func TestEnqueueStatusWait(t *testing.T) {
	skipInShort(t)
	t.Parallel()
	dir := drawDataset(t)
	environ := []string{
		redisURL(queuetest.Embedded(t)), "STEVEDORE_FILE_ROOTS=" + dir,
		"STEVEDORE_HTTP_ADDR=127.0.0.1:0", "STEVEDORE_LOG_FORMAT=text",
	}
	ctx, stop := startWorker(t, environ)
	for range 2 {
		code, out, errs := call(ctx, environ, "", "enqueue", "generate-thumbnails", "--id", "thumbs", "--source", "file://"+dir)
		if code != cli.ExitOK || out != "thumbs\n" {
			t.Fatalf("enqueue: exit %d, %q\n%s", code, out, errs)
		}
	}
	code, out, errs := call(ctx, environ, "", "wait", "thumbs")
	if code != cli.ExitOK || !strings.Contains(out, "thumbnails written") {
		t.Errorf("wait: exit %d\n%s\n%s", code, out, errs)
	}
	code, out, _ = call(ctx, environ, "", "status", "thumbs", "--json")
	var s tasks.Status
	if err := json.Unmarshal([]byte(out), &s); code != cli.ExitOK || err != nil || s.State != tasks.StateSucceeded {
		t.Errorf("status: exit %d, %v\n%s", code, err, out)
	}
	code, out, _ = call(ctx, environ, "", "status", "thumbs", "--errors")
	if code != cli.ExitOK || !strings.Contains(out, `"key":"scenes/corrupt.jpg","code":"corrupt-image"`) {
		t.Errorf("errors: exit %d\n%s", code, out)
	}
	if code, _, errs := call(ctx, environ, "", "status", "nobody"); code != cli.ExitFailed || !strings.Contains(errs, "no such job") {
		t.Errorf("unknown job: exit %d, %s", code, errs)
	}
	if log := stop(); strings.Contains(log, "level=ERROR") {
		t.Errorf("the worker's log:\n%s", log)
	}
}
