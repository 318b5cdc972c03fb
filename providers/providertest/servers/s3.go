package servers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// S3Server is the S3 server of deploy/emulators. It knows users and
// policies.
type S3Server struct {
	Endpoint string
	Root     Keys // may do everything
	control  control
}

// Keys is the pair that a user signs requests with.
type Keys struct {
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
}

// S3 finds the S3 server.
func S3(t testing.TB) S3Server {
	t.Helper()
	s := S3Server{
		Endpoint: os.Getenv("STEVEDORE_TEST_S3_ENDPOINT"),
		Root: Keys{
			AccessKeyID:     os.Getenv("STEVEDORE_TEST_S3_ACCESS_KEY"),
			SecretAccessKey: os.Getenv("STEVEDORE_TEST_S3_SECRET_KEY"),
		},
		control: controlAddress(),
	}
	require(t, "S3 server", s.Endpoint, string(s.control))
	return s
}

// Bucket makes a new empty bucket and returns its name.
func (s S3Server) Bucket(t testing.TB) string {
	t.Helper()
	name := newName("b")
	s.control.send(t, http.MethodPost, "/buckets/"+name, nil, nil)
	return name
}

// BucketIn makes a bucket that lists its keys in one of the orders of
// package keyorder.
func (s S3Server) BucketIn(t testing.TB, order keyorder.Order) string {
	t.Helper()
	name := s.Bucket(t)
	s.control.send(t, http.MethodPost, "/s3/orders/"+name+"/"+order.String(), nil, nil)
	return name
}

// OpenUploads returns how many multipart uploads of a bucket were
// begun and neither completed nor aborted.
func (s S3Server) OpenUploads(t testing.TB, bucket string) int {
	t.Helper()
	var count struct{ Open int }
	s.control.send(t, http.MethodGet, "/uploads/"+bucket, nil, &count)
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
	return s.User(t, policy(
		allow(bucket, "", "s3:ListBucket"),
		allow(bucket, "/*", "s3:GetObject"),
	))
}

// Writer makes a user who may also write. As in the policies of
// labelling tools, the user has no right to delete or to abort an
// upload.
func (s S3Server) Writer(t testing.TB, bucket string) Keys {
	t.Helper()
	return s.User(t, policy(
		allow(bucket, "", "s3:ListBucket"),
		allow(bucket, "/*", "s3:GetObject"),
		allow(bucket, "/*", "s3:PutObject"),
	))
}

// User makes a user with an IAM policy document, until the test ends.
func (s S3Server) User(t testing.TB, document string) Keys {
	t.Helper()
	path := "/users/" + newName("u")
	var k Keys
	s.control.send(t, http.MethodPost, path, json.RawMessage(document), &k)
	t.Cleanup(func() { s.control.send(t, http.MethodDelete, path, nil, nil) })
	return k
}

func allow(bucket, objects, action string) string {
	return fmt.Sprintf(`{"Effect": "Allow", "Action": [%q], "Resource": ["arn:aws:s3:::%s%s"]}`,
		action, bucket, objects)
}

func policy(statements ...string) string {
	return `{"Version": "2012-10-17", "Statement": [` + strings.Join(statements, ", ") + `]}`
}
