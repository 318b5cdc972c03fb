package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// policyOf runs the command.
func policyOf(t *testing.T, in string, args ...string) (out, errs string, code cli.ExitCode) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), append([]string{"policy"}, args...), cli.Console{In: strings.NewReader(in), Out: &stdout, Err: &stderr})
	return stdout.String(), stderr.String(), code
}

// The rights that the command prints are enough for a verification
// without warnings, and for all four jobs.
func TestFourJobsWithGeneratedPolicy(t *testing.T) {
	skipInShort(t)
	t.Parallel()
	server := servers.S3(t)
	name := server.Bucket(t)
	out, errs, code := policyOf(t, "", "--source", "s3://"+name, "--read", "--write", "--versions")
	if code != cli.ExitOK {
		t.Fatal(errs)
	}
	_, body, _ := strings.Cut(out, "\n\n") // below the title
	var document json.RawMessage
	if err := json.NewDecoder(strings.NewReader(body)).Decode(&document); err != nil {
		t.Fatal(err)
	}
	keys := server.User(t, string(document))
	store := tasks.Storage{
		Provider: "s3", Bucket: name, Region: "us-east-1", Endpoint: server.Endpoint,
		Auth: tasks.Auth{Method: tasks.AuthAccessKey, AccessKeyID: keys.AccessKeyID, SecretAccessKey: secretFile(t, keys.SecretAccessKey)},
	}
	fill(t, configured(t), store)
	for _, c := range checksOf(t.Context(), t, startedLocal(t, configured(t)).client, store) {
		// The buckets of the emulator keep no versions.
		good := c.Status == tasks.CheckOK || c.Code == "VersioningDisabled"
		if !good && c.Status != tasks.CheckSkipped {
			t.Errorf("%+v", c)
		}
	}
	runAll(t, configured(t), store)
}

// checksOf runs a verification as a service would.
func checksOf(ctx context.Context, t *testing.T, client *producer.Client, s tasks.Storage) []tasks.Check {
	t.Helper()
	id, err := client.Enqueue(ctx, tasks.VerifyConnection{Storage: s, Need: tasks.Need{Read: true, Write: true, Versions: true}})
	if err != nil {
		t.Fatal(err)
	}
	status, err := client.Wait(ctx, id, func(tasks.Status) {})
	if err != nil {
		t.Fatal(err)
	}
	r, err := producer.Result(status)
	if err != nil {
		t.Fatal(err)
	}
	return r.(tasks.VerifyConnectionResult).Checks
}

func TestPolicyCommand(t *testing.T) {
	t.Parallel()
	const azure = `{"provider": "azure", "bucket": "pictures", "account": "acct"}`
	for _, c := range []struct {
		in    string
		args  []string
		code  cli.ExitCode
		words string
	}{
		{"", []string{"--source", "s3://b/cats/"}, cli.ExitOK, `"s3:GetObject"`},
		{"", []string{"--source", "s3://b", "--trust", "595343846762", "--external-id", "ws-1"}, cli.ExitOK, `"sts:ExternalId": "ws-1"`},
		{azure, []string{"-"}, cli.ExitOK, "--permissions rl "},
		{azure, []string{"-", "--write"}, cli.ExitOK, "--permissions cwl "},
		{`{"storage": ` + azure + `, "need": {"read": true, "write": true}}`, []string{"-"}, cli.ExitOK, "--permissions rcwl "},
		{`{"source": ` + azure + `}`, []string{"-", "--cors", "https://app.example"}, cli.ExitOK, "--origins https://app.example"},
		{`{"source": ` + azure + `}`, []string{"-", "--cors", "app.example"}, cli.ExitInvalid, "need.cors.origin"},
		{`{"provider": "s3", "bucket": "s3://b"}`, []string{"-"}, cli.ExitInvalid, "storage.bucket"},
		{`{"provider": "file", "bucket": "/data"}`, []string{"-"}, cli.ExitInvalid, "no rights to grant"},
		{`{"provider": "ftp", "bucket": "b"}`, []string{"-"}, cli.ExitInvalid, "no rights to grant"},
		{`[]`, []string{"-"}, cli.ExitInvalid, "needs an object, {...}, not an array"},
		{`{"source": {"provider": "s3", "buckett": "b"}}`, []string{"-"}, cli.ExitInvalid, "source.buckett: unknown field: did you mean bucket?"},
		{`{"source": ` + azure + `, "need": {"read": 1}}`, []string{"-"}, cli.ExitInvalid, "need.read: needs true or false, not a number"},
		{"", nil, cli.ExitInvalid, "--source"},
		{"", []string{"--source", "s3://b", "--external-id", "ws-1"}, cli.ExitInvalid, "account to trust"},
	} {
		out, errs, code := policyOf(t, c.in, c.args...)
		if code != c.code || !strings.Contains(out+errs, c.words) {
			t.Errorf("%v %s: exit %d, want %d with %q:\n%s%s", c.args, c.in, code, c.code, c.words, out, errs)
		}
	}
}
