package providertest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

// S3Server is the S3 server of deploy/emulators, which knows users and
// policies.
type S3Server struct {
	Endpoint string
	Root     Keys // may do everything
	control  string
}

// Keys are what a user signs requests with.
type Keys struct {
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
}

// S3 finds the server that STEVEDORE_TEST_S3_ENDPOINT and its companions
// describe. Without one the test is skipped, or fails when
// REQUIRE_SERVICES=1.
func S3(t testing.TB) S3Server {
	t.Helper()
	s := S3Server{
		Endpoint: os.Getenv("STEVEDORE_TEST_S3_ENDPOINT"),
		Root:     Keys{os.Getenv("STEVEDORE_TEST_S3_ACCESS_KEY"), os.Getenv("STEVEDORE_TEST_S3_SECRET_KEY")},
		control:  os.Getenv("STEVEDORE_TEST_CONTROL"),
	}
	const missing = "no S3 server: run deploy/emulators and evaluate the file that its --env-file names"
	switch {
	case s.Endpoint != "" && s.control != "":
	case os.Getenv("REQUIRE_SERVICES") == "1":
		t.Fatal(missing)
	default:
		t.Skip(missing)
	}
	return s
}

// Bucket makes a new empty bucket and returns its name.
func (s S3Server) Bucket(t testing.TB) string {
	t.Helper()
	name := "b" + strings.ToLower(rand.Text()[:16])
	s.ask(t, http.MethodPost, "/buckets/"+name, "", nil)
	return name
}

// OpenUploads is how many multipart uploads were begun in a bucket and
// neither completed nor aborted.
func (s S3Server) OpenUploads(t testing.TB, bucket string) int {
	t.Helper()
	var count struct{ Open int }
	s.ask(t, http.MethodGet, "/uploads/"+bucket, "", &count)
	return count.Open
}

// Lister makes a user who may only list a bucket.
func (s S3Server) Lister(t testing.TB, bucket string) Keys {
	t.Helper()
	return s.User(t, policy(allow(bucket, "", "s3:ListBucket")))
}

// Reader makes a user who may list a bucket and read its objects.
func (s S3Server) Reader(t testing.TB, bucket string) Keys {
	t.Helper()
	return s.User(t, policy(allow(bucket, "", "s3:ListBucket"), allow(bucket, "/*", "s3:GetObject")))
}

// Writer makes a user who may also write, as the policies of labelling tools
// have it: without the right to delete or to abort an upload.
func (s S3Server) Writer(t testing.TB, bucket string) Keys {
	t.Helper()
	return s.User(t, policy(allow(bucket, "", "s3:ListBucket"), allow(bucket, "/*", "s3:GetObject"), allow(bucket, "/*", "s3:PutObject")))
}

// User makes a user with an IAM policy document, until the test ends.
func (s S3Server) User(t testing.TB, document string) Keys {
	t.Helper()
	name := "u" + strings.ToLower(rand.Text()[:16])
	var k Keys
	s.ask(t, http.MethodPost, "/users/"+name, document, &k)
	t.Cleanup(func() { s.ask(t, http.MethodDelete, "/users/"+name, "", nil) })
	return k
}

func allow(bucket, objects, action string) string {
	return fmt.Sprintf(`{"Effect": "Allow", "Action": [%q], "Resource": ["arn:aws:s3:::%s%s"]}`, action, bucket, objects)
}

func policy(statements ...string) string {
	return `{"Version": "2012-10-17", "Statement": [` + strings.Join(statements, ", ") + `]}`
}

func (s S3Server) ask(t testing.TB, method, path, body string, answer any) {
	t.Helper()
	req, err := http.NewRequest(method, s.control+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s, %v: %s", method, path, resp.Status, err, data)
	}
	if answer != nil {
		if err := json.Unmarshal(data, answer); err != nil {
			t.Fatal(err)
		}
	}
}
