package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/gateway"
)

const bucketPolicy = `{"Version": "2012-10-17", "Statement": [{
	"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::pictures/*"}]}`

// TestServe runs all emulators as the command does, and uses each
// once.
func TestServe(t *testing.T) {
	env := start(t)
	root := gateway.Keys{
		AccessKeyID:     env["STEVEDORE_TEST_S3_ACCESS_KEY"],
		SecretAccessKey: env["STEVEDORE_TEST_S3_SECRET_KEY"],
	}
	control(t, env, "/buckets/pictures", "", nil)
	put(t, client(env, root), "a.jpg", "text")

	t.Run("a user has the rights of its policy", func(t *testing.T) {
		var keys gateway.Keys
		control(t, env, "/users/ann", bucketPolicy, &keys)
		if text, err := get(t, client(env, keys), "a.jpg"); err != nil || text != "text" {
			t.Errorf("read: %q, %v", text, err)
		}
		if code := list(t, client(env, keys)); code != "AccessDenied" {
			t.Errorf("list: code %q", code)
		}
	})

	t.Run("a fault happens to the requests it names", func(t *testing.T) {
		var added struct{ ID string }
		fault := `{"name": "SlowDown", "bucket": "pictures", "op": "list"}`
		control(t, env, "/s3/faults", fault, &added)
		if code := list(t, client(env, root)); code != "SlowDown" {
			t.Errorf("list: code %q", code)
		}
		if _, err := get(t, client(env, root), "a.jpg"); err != nil {
			t.Error(err)
		}
	})

	t.Run("a session of a role has the rights of the role", func(t *testing.T) {
		var role struct{ ARN string }
		spec := `{"principals": ["` + root.AccessKeyID + `"], "policy": ` + bucketPolicy + `}`
		control(t, env, "/roles/reader", spec, &role)
		session := assume(t, env["STEVEDORE_TEST_STS_ENDPOINT"], root, role.ARN)
		if text, err := get(t, client(env, session), "a.jpg"); err != nil || text != "text" {
			t.Errorf("read: %q, %v", text, err)
		}
	})

	t.Run("Google Cloud Storage answers", func(t *testing.T) {
		public := `{"grants": {"allUsers": ["storage.objects.list"]}}`
		control(t, env, "/gcs/buckets/photos", public, nil)
		answer := send(t, "GET", env["STEVEDORE_TEST_GCS_ENDPOINT"]+"/storage/v1/b/photos/o", "")
		if !strings.Contains(answer, "storage#objects") {
			t.Errorf("list: %s", answer)
		}
	})
}

// start serves the emulators and returns the variables of the file.
// It stops them when the test ends. Without a file system that has
// extended attributes it skips the test, or fails it if
// REQUIRE_SERVICES=1.
func start(t *testing.T) map[string]string {
	t.Helper()
	data, remove, err := dataDir("")
	switch {
	case err != nil && os.Getenv("REQUIRE_SERVICES") == "1":
		t.Fatal(err)
	case err != nil:
		t.Skip("SKIPPED:", err)
	}
	file := filepath.Join(t.TempDir(), "env")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, data, file) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		remove()
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the file with the variables remains: %v", err)
		}
	})
	return awaitEnv(t, file, ended)
}

// awaitEnv waits for the file and returns its variables.
func awaitEnv(t *testing.T, file string, ended chan error) map[string]string {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if text, err := os.ReadFile(file); err == nil {
			env := map[string]string{}
			for line := range strings.Lines(string(text)) {
				name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
				env[name] = value
			}
			return env
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatal(err)
		case <-tick.C:
		}
	}
}

// client returns an S3 client of the emulated AWS that does not
// retry.
func client(env map[string]string, keys gateway.Keys) *s3.Client {
	return s3.New(s3.Options{
		Region:           gateway.Region,
		BaseEndpoint:     aws.String(env["STEVEDORE_TEST_S3_ENDPOINT"]),
		UsePathStyle:     true,
		RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(
			keys.AccessKeyID, keys.SecretAccessKey, ""),
	})
}

func put(t *testing.T, c *s3.Client, key, text string) {
	t.Helper()
	_, err := c.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("pictures"), Key: aws.String(key), Body: strings.NewReader(text),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, c *s3.Client, key string) (string, error) {
	t.Helper()
	out, err := c.GetObject(t.Context(), &s3.GetObjectInput{
		Bucket: aws.String("pictures"), Key: aws.String(key),
	})
	if err != nil {
		return "", err
	}
	defer func() { _ = out.Body.Close() }()
	text, err := io.ReadAll(out.Body)
	return string(text), err
}

// list lists the bucket and returns the error code.
func list(t *testing.T, c *s3.Client) string {
	t.Helper()
	_, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("pictures")})
	var failed smithy.APIError
	if errors.As(err, &failed) {
		return failed.ErrorCode()
	}
	return ""
}

// assume opens a session of a role and returns its keys.
func assume(t *testing.T, endpoint string, keys gateway.Keys, arn string) gateway.Keys {
	t.Helper()
	form := url.Values{
		"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "RoleArn": {arn},
		"RoleSessionName": {"test"}, "DurationSeconds": {"900"},
	}.Encode()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sum := sha256.Sum256([]byte(form))
	creds := aws.Credentials{AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey}
	err = v4.NewSigner().SignHTTP(
		t.Context(), creds, r, hex.EncodeToString(sum[:]), "sts", gateway.Region, time.Now())
	if err != nil {
		t.Fatal(err)
	}

	var answer struct {
		ID     string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
		Secret string `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
	}
	if err := xml.Unmarshal(do(t, r), &answer); err != nil || answer.ID == "" {
		t.Fatalf("no session: %v", err)
	}
	return gateway.Keys{AccessKeyID: answer.ID, SecretAccessKey: answer.Secret}
}

// control sends one request to the control endpoint and decodes the
// answer.
func control(t *testing.T, env map[string]string, path, body string, into any) {
	t.Helper()
	answer := send(t, "POST", env["STEVEDORE_TEST_CONTROL"]+path, body)
	if into != nil {
		if err := json.Unmarshal([]byte(answer), into); err != nil {
			t.Fatal(err)
		}
	}
}

func send(t *testing.T, method, address, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	return string(do(t, r))
}

// do sends a request that must succeed and returns the body of the
// answer.
func do(t *testing.T, r *http.Request) []byte {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %s %v", r.Method, r.URL, resp.Status, body, err)
	}
	return body
}
