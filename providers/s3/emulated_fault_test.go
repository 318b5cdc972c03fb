package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// healthyBucket is a new bucket on the emulator with content under the key
// "k".
func healthyBucket(t *testing.T, server providertest.S3Server, content string) string {
	t.Helper()
	bucket := server.Bucket(t)
	if _, err := open(t, server.Endpoint, bucket, server.Root).Put(t.Context(), "k", strings.NewReader(content), providers.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return bucket
}

// What AWS says when something is wrong comes out as one kind, with its code
// and with advice, whatever is asked.
func TestEmulatedFaults(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	const everything = "list stat get put delete"
	for _, c := range []struct {
		name, ops string
		kind      providers.Kind
		code      string
		status    int
		advice    string
	}{
		{"KMSDenied", "stat get put", providers.Denied, "AccessDenied", 403, "kms:"},
		{"KMSDisabled", "get put", providers.Denied, "KMS.DisabledException", 400, "disabled or gone"},
		{"Archived", "get", providers.Invalid, "InvalidObjectState", 403, "restore it first"},
		{"SlowDown", everything, providers.Throttled, "SlowDown", 503, "fewer requests"},
		{"InternalError", "list get put", providers.Unavailable, "InternalError", 500, "trouble"},
		{"OtherRegion", everything, providers.Invalid, "AuthorizationHeaderMalformed", 400, "region to eu-west-3"},
		{"HTML", "list stat get put", providers.Invalid, "NotS3", 200, "of the S3 API"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bucket := healthyBucket(t, server, content)
			s, secrets := storage(t, server.Endpoint, bucket, server.Root)
			b := openWith(t, &s3.Opener{Attempts: 1}, s, secrets)
			happened := server.Fault(t, providertest.S3Fault{Name: c.name, Bucket: bucket, Region: "eu-west-3"})
			errs := operations(t.Context(), b)
			for op := range strings.FieldsSeq(c.ops) {
				var e *providers.Error
				if !errors.As(errs[op], &e) || e.Kind != c.kind || e.Code != c.code && op != "stat" || e.Op != op {
					t.Errorf("%s: got %#v, want %s %s", op, errs[op], c.kind, c.code)
					continue
				}
				if e.Status != c.status || e.RequestID == "" && c.name != "HTML" || !strings.Contains(e.Advice(), c.advice) {
					t.Errorf("%s: status %d, request %q, advice %q", op, e.Status, e.RequestID, e.Advice())
				}
			}
			if happened() == 0 {
				t.Error("the fault never happened")
			}
		})
	}
}

// Which right at the key is missing depends on who is asked: reading
// decrypts, writing encrypts.
func TestEmulatedKMSNamesTheRight(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	bucket := healthyBucket(t, server, content)
	server.Fault(t, providertest.S3Fault{Name: "KMSDenied", Bucket: bucket})
	errs := operations(t.Context(), open(t, server.Endpoint, bucket, server.Root))
	for op, action := range map[string]string{"get": "kms:Decrypt", "put": "kms:GenerateDataKey"} {
		var e *providers.Error
		if !errors.As(errs[op], &e) || !strings.Contains(e.Detail, action+" on resource: arn:aws:kms:us-east-1:") || !strings.Contains(e.Fix, action+" on ") {
			t.Errorf("%s: got %v with fix %q", op, errs[op], e.Advice())
		}
	}
}

// One user's trouble is not another's, and one test's is not another's.
func TestEmulatedFaultIsOnesOwn(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	bucket := healthyBucket(t, server, content)
	reader := server.Reader(t, bucket)
	server.Fault(t, providertest.S3Fault{Name: "SlowDown", AccessKey: reader.AccessKeyID, Op: "get"})
	server.Fault(t, providertest.S3Fault{Name: "SlowDown", Bucket: server.Bucket(t)})
	if got, err := readAll(t.Context(), open(t, server.Endpoint, bucket, server.Root), providers.ReadOptions{}); err != nil || got != content {
		t.Errorf("somebody else got %q, %v", got, err)
	}
	b := open(t, server.Endpoint, bucket, reader)
	if _, err := readAll(t.Context(), b, providers.ReadOptions{}); providers.KindOf(err) != providers.Throttled {
		t.Errorf("the reader got %v", err)
	}
	if _, err := b.Stat(t.Context(), "k"); err != nil {
		t.Errorf("another operation: %v", err)
	}
}

// A server that asks to slow down is asked again, later, and nobody hears of
// it.
func TestEmulatedSlowDownPasses(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	for op, do := range map[string]func(providers.Bucket) error{
		"list": func(b providers.Bucket) error {
			for _, err := range b.List(t.Context(), providers.ListOptions{}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"get": func(b providers.Bucket) error { _, err := readAll(t.Context(), b, providers.ReadOptions{}); return err },
		"put": func(b providers.Bucket) error {
			_, err := b.Put(t.Context(), "k", strings.NewReader("y"), providers.WriteOptions{})
			return err
		},
		"part": func(b providers.Bucket) error {
			_, err := b.Put(t.Context(), "k", bytes.NewReader(make([]byte, 9<<20)), providers.WriteOptions{})
			return err
		},
	} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			bucket := healthyBucket(t, server, content)
			s, secrets := storage(t, server.Endpoint, bucket, server.Root)
			b := openWith(t, &s3.Opener{Attempts: 3}, s, secrets)
			happened := server.Fault(t, providertest.S3Fault{Name: "SlowDown", Bucket: bucket, Op: op, Times: 2})
			if err := do(b); err != nil {
				t.Error(err)
			}
			if n := happened(); n != 2 {
				t.Errorf("it happened %d times", n)
			}
		})
	}
}

// A listing that meets trouble on a later page ends with an error, never as
// if it were whole.
func TestEmulatedFaultOnLaterPage(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	bucket := server.Bucket(t)
	b := open(t, server.Endpoint, bucket, server.Root)
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
	server.Fault(t, providertest.S3Fault{Name: "HTML", Bucket: bucket, Op: "list", Skip: 1})
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

// A redirect leads on, whoever is asked first, and HEAD too, whose answer is
// a header and nothing else.
func TestEmulatedRedirect(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	bucket := healthyBucket(t, server, content)
	s, secrets := storage(t, server.Endpoint, bucket, server.Root)
	s.Region = "eu-west-3"
	happened := server.Fault(t, providertest.S3Fault{Name: "Redirect", Bucket: bucket})
	if _, err := openStorage(t, s, secrets).Stat(t.Context(), "k"); err != nil {
		t.Errorf("stat: %v", err)
	}
	b := openStorage(t, s, secrets)
	before := happened()
	for op, err := range operations(t.Context(), b) {
		if err != nil {
			t.Errorf("%s: %v", op, err)
		}
	}
	if n := happened() - before; n != 1 {
		t.Errorf("sent on %d times: the region was not remembered", n)
	}
	server.Fault(t, providertest.S3Fault{Name: "Redirect", Bucket: bucket})
	checks := checksOf(t, openStorage(t, s, secrets), tasks.Need{})
	if c := checks["region"]; c.Status != tasks.CheckWarn || !strings.Contains(c.Fix, "us-east-1") || checks["list"].Status != tasks.CheckOK {
		t.Errorf("got %+v", checks)
	}
}

// An object that breaks off is an error, wherever it does and whether a range
// or all of it was asked for.
func TestEmulatedCutBody(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	whole := strings.Repeat(content, 20_000)
	bucket := healthyBucket(t, server, whole)
	b := open(t, server.Endpoint, bucket, server.Root)
	for _, at := range []int64{0, 1, 150_000, int64(len(whole)) - 1} {
		happened := server.Fault(t, providertest.S3Fault{Name: "CutBody", Bucket: bucket, Op: "get", Bytes: at, Times: 1})
		got, err := readAll(t.Context(), b, providers.ReadOptions{})
		var e *providers.Error
		if got != whole[:at] || !errors.As(err, &e) || e.Kind != providers.Unavailable || e.Key != "k" || happened() != 1 {
			t.Errorf("cut after %d: got %d bytes and %v", at, len(got), err)
		}
	}
	server.Fault(t, providertest.S3Fault{Name: "CutBody", Bucket: bucket, Op: "get", Bytes: 5, Times: 1})
	if got, err := readAll(t.Context(), b, providers.ReadOptions{Offset: 10, Length: 7}); got != whole[10:15] || providers.KindOf(err) != providers.Unavailable {
		t.Errorf("a range: got %q, %v", got, err)
	}
	if got, err := readAll(t.Context(), b, providers.ReadOptions{}); got != whole || err != nil {
		t.Errorf("afterwards: %d bytes, %v", len(got), err)
	}
}

// A listing that breaks off is asked for again. Where that does not help it
// is an error, not a bucket with fewer objects.
func TestEmulatedCutListing(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	bucket := healthyBucket(t, server, content)
	b := open(t, server.Endpoint, bucket, server.Root)
	server.Fault(t, providertest.S3Fault{Name: "CutBody", Bucket: bucket, Op: "list", Bytes: 200, Times: 1})
	wantCount(t, b, 1)
	happened := server.Fault(t, providertest.S3Fault{Name: "CutBody", Bucket: bucket, Op: "list", Bytes: 200})
	var failed error
	for o, err := range b.List(t.Context(), providers.ListOptions{}) {
		if failed = err; err == nil {
			t.Errorf("listed %v", o)
		}
	}
	if providers.KindOf(failed) != providers.Unavailable || strings.Contains(failed.Error(), "S3's format") || happened() != 2 {
		t.Errorf("it happened %d times: %v", happened(), failed)
	}
}

// Whoever waits for a slow body can stop waiting; whoever does not stop gets
// all of it.
func TestEmulatedSlowBody(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	whole := strings.Repeat(content, 500)
	bucket := healthyBucket(t, server, whole)
	b := open(t, server.Endpoint, bucket, server.Root)
	server.Fault(t, providertest.S3Fault{Name: "SlowBody", Bucket: bucket, Op: "get", Bytes: 100, Pause: time.Hour, Times: 1})
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
	if n, err := io.Copy(io.Discard, r); n != 0 || !providers.IsContext(ctx, err) || providers.KindOf(err) != providers.Unavailable {
		t.Errorf("got %d bytes and %v", n, err)
	}
	happened := server.Fault(t, providertest.S3Fault{Name: "SlowBody", Bucket: bucket, Op: "get", Pause: time.Millisecond})
	if got, err := readAll(t.Context(), b, providers.ReadOptions{}); got != whole || err != nil || happened() != 1 {
		t.Errorf("got %d bytes and %v", len(got), err)
	}
}

// A write whose answer is lost is sent again. Without a condition nobody
// hears of it; with one it is a Conflict, with the content in place.
func TestEmulatedLostAnswer(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	for name, c := range map[string]struct {
		opts providers.WriteOptions
		kind providers.Kind
	}{"Always": {kind: ""}, "IfAbsent": {providers.WriteOptions{IfAbsent: true}, providers.Conflict}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bucket := server.Bucket(t)
			b := open(t, server.Endpoint, bucket, server.Root)
			happened := server.Fault(t, providertest.S3Fault{Name: "LostAnswer", Bucket: bucket, Op: "put", Times: 1})
			_, err := b.Put(t.Context(), "k", strings.NewReader(content), c.opts)
			if providers.KindOf(err) != c.kind || happened() != 1 {
				t.Errorf("got %v, want %q", err, c.kind)
			}
			if got, err := readAll(t.Context(), b, providers.ReadOptions{}); got != content || err != nil {
				t.Errorf("the key holds %q, %v", got, err)
			}
		})
	}
}
