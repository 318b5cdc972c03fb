package s3_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
)

// A listing that fails on a later page ends with an error, and never as
// if it were complete.
func TestEmulatedFaultOnLaterPage(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	bucket := server.Bucket(t)
	b := s3test.OpenAt(t, server.Endpoint, bucket, server.Root)
	var group errgroup.Group
	group.SetLimit(16)
	for i := range 1001 {
		group.Go(func() error {
			_, err := b.Put(t.Context(), fmt.Sprint("k", i), strings.NewReader(""), providers.WriteOptions{})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}

	server.Fault(t, servers.S3Fault{Name: "HTML", Bucket: bucket, Op: "list", Skip: 1})
	n := 0
	var failed error
	for _, err := range b.List(t.Context(), providers.ListOptions{}) {
		if failed = err; err == nil {
			n++
		}
	}
	var e *providers.Error
	if n != 1000 || !errors.As(failed, &e) || e.Code != "NotS3" {
		t.Errorf("%d objects and %v", n, failed)
	}
}

// A listing that breaks off is requested again. If that does not help,
// it is an error, not a bucket with fewer objects.
func TestEmulatedCutListing(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	bucket := s3test.BucketWithObject(t, server, s3test.Content)
	b := s3test.OpenAt(t, server.Endpoint, bucket, server.Root)
	cut := servers.S3Fault{Name: "CutBody", Bucket: bucket, Op: "list", Bytes: 200}
	once := cut
	once.Times = 1
	server.Fault(t, once)
	s3test.CheckCount(t, b, 1)

	happened := server.Fault(t, cut)
	var failed error
	for o, err := range b.List(t.Context(), providers.ListOptions{}) {
		if failed = err; err == nil {
			t.Errorf("listed %v", o)
		}
	}
	if providers.KindOf(failed) != providers.Unavailable || happened() != 2 ||
		strings.Contains(failed.Error(), "S3's format") {
		t.Errorf("it happened %d times: %v", happened(), failed)
	}
}

// An object that breaks off is an error, at whatever byte it does, for
// a range and for the whole object.
func TestEmulatedCutBody(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	whole := strings.Repeat(s3test.Content, 20_000)
	bucket := s3test.BucketWithObject(t, server, whole)
	b := s3test.OpenAt(t, server.Endpoint, bucket, server.Root)
	cutAt := func(bytes int64) servers.S3Fault {
		return servers.S3Fault{Name: "CutBody", Bucket: bucket, Op: "get", Bytes: bytes, Times: 1}
	}
	for _, at := range []int64{0, 1, 150_000, int64(len(whole)) - 1} {
		happened := server.Fault(t, cutAt(at))
		got, err := s3test.ReadAll(t.Context(), b, providers.ReadOptions{})
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Unavailable || e.Key != "k" ||
			got != whole[:at] || happened() != 1 {
			t.Errorf("cut after %d: got %d bytes and %v", at, len(got), err)
		}
	}

	server.Fault(t, cutAt(5))
	got, err := s3test.ReadAll(t.Context(), b, providers.ReadOptions{Offset: 10, Length: 7})
	if got != whole[10:15] || providers.KindOf(err) != providers.Unavailable {
		t.Errorf("a range: got %q, %v", got, err)
	}
	got, err = s3test.ReadAll(t.Context(), b, providers.ReadOptions{})
	if got != whole || err != nil {
		t.Errorf("afterwards: %d bytes, %v", len(got), err)
	}
}

// A reader of a slow body stops when its context ends. A reader that
// waits gets the whole body.
func TestEmulatedSlowBody(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	whole := strings.Repeat(s3test.Content, 500)
	bucket := s3test.BucketWithObject(t, server, whole)
	b := s3test.OpenAt(t, server.Endpoint, bucket, server.Root)
	server.Fault(t, servers.S3Fault{
		Name: "SlowBody", Bucket: bucket, Op: "get", Bytes: 100, Pause: time.Hour, Times: 1,
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := b.Open(ctx, "k", providers.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if _, err := io.ReadFull(r, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	cancel()
	n, err := io.Copy(io.Discard, r)
	if n != 0 || !providers.IsContext(ctx, err) || providers.KindOf(err) != providers.Unavailable {
		t.Errorf("got %d bytes and %v", n, err)
	}

	happened := server.Fault(t, servers.S3Fault{
		Name: "SlowBody", Bucket: bucket, Op: "get", Pause: time.Millisecond,
	})
	got, err := s3test.ReadAll(t.Context(), b, providers.ReadOptions{})
	if got != whole || err != nil || happened() != 1 {
		t.Errorf("got %d bytes and %v", len(got), err)
	}
}
