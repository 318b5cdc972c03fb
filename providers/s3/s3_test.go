package s3_test

import (
	"bytes"
	"errors"
	"io"
	"log" //nolint:depguard // the SDK writes to it, which a test looks for
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func TestBucket(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	providertest.Run(t, func(t testing.TB) providers.Bucket {
		t.Helper()
		bucket := server.Bucket(t)
		t.Cleanup(func() {
			if n := server.OpenUploads(t, bucket); n != 0 {
				t.Errorf("%d uploads were left open", n)
			}
		})
		return s3test.OpenAt(t, server.Endpoint, bucket, server.Root)
	})
	missing := s3test.OpenAt(t, server.Endpoint, "no-such-bucket-here", server.Root)
	providertest.RunMissing(t, missing)
	empty := s3test.OpenAt(t, server.Endpoint, server.Bucket(t), server.Root)
	providertest.RunThrough(t, empty)
}

// The policies that labelling tools publish lack the right to abort
// uploads. Then the parts stay in the bucket, and the error says so.
func TestUnfinishedUploadIsReported(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	bucket := server.Bucket(t)
	b := s3test.OpenAt(t, server.Endpoint, bucket, server.Writer(t, bucket))
	s3test.Put(t, s3test.OpenAt(t, server.Endpoint, bucket, server.Root), "k", "old")

	body := bytes.NewReader(make([]byte, 9<<20))
	_, err := b.Put(t.Context(), "k", body, providers.WriteOptions{IfAbsent: true})
	var e *providers.Error
	if !errors.As(err, &e) || e.Kind != providers.Conflict ||
		!strings.Contains(e.Fix, "s3:AbortMultipartUpload") {
		t.Errorf("got %v with fix %q", err, e.Advice())
	}
	if n := server.OpenUploads(t, bucket); n != 1 {
		t.Errorf("%d open uploads, want 1: the advice would be wrong", n)
	}
}

// The SDK's transfermanager writes to the process's log when it cannot
// complete an upload. This test is not parallel, because it replaces
// that log.
func TestPutWritesNoLog(t *testing.T) {
	server := servers.S3(t)
	b := s3test.OpenAt(t, server.Endpoint, server.Bucket(t), server.Root)
	var logged bytes.Buffer
	defer log.SetOutput(log.Writer())
	log.SetOutput(&logged)

	bodies := []io.Reader{strings.NewReader("old"), bytes.NewReader(make([]byte, 9<<20))}
	for i, body := range bodies {
		_, err := b.Put(t.Context(), "k", body, providers.WriteOptions{IfAbsent: true})
		if (err == nil) != (i == 0) {
			t.Fatalf("put %d: %v", i, err)
		}
	}
	if logged.Len() != 0 {
		t.Errorf("logged %q", logged.String())
	}
}

func TestAnonymous(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	s := tasks.Storage{
		Provider: "s3", Bucket: server.Bucket(t), Endpoint: server.Endpoint,
		Auth: tasks.Auth{Method: tasks.AuthAnonymous},
	}
	b := s3test.Open(t, &s3.Opener{}, s, providers.Secrets{})
	if _, err := b.Stat(t.Context(), "k"); providers.KindOf(err) != providers.Denied {
		t.Errorf("got %v, want denied", err)
	}
}
