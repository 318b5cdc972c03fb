package s3_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
)

// Every operation reports an error of AWS with the same kind, code and
// advice.
func TestEmulatedFaults(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	const all = "list stat get put delete"
	for _, c := range []struct {
		name, ops string
		kind      providers.Kind
		code      string
		status    int
		advice    string // words of it
	}{
		{"KMSDenied", "stat get put", providers.Denied, "AccessDenied", 403, "kms:"},
		{"KMSDisabled", "get put", providers.Denied, "KMS.DisabledException", 400, "disabled or gone"},
		{"Archived", "get", providers.Invalid, "InvalidObjectState", 403, "restore it first"},
		{"SlowDown", all, providers.Throttled, "SlowDown", 503, "fewer requests"},
		{"InternalError", "list get put", providers.Unavailable, "InternalError", 500, "trouble"},
		{"OtherRegion", all, providers.Invalid, "AuthorizationHeaderMalformed", 400, "region to eu-west-3"},
		{"HTML", "list stat get put", providers.Invalid, "NotS3", 200, "of the S3 API"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bucket := s3test.BucketWithObject(t, server, s3test.Content)
			s, secrets := s3test.Storage(t, server.Endpoint, bucket, server.Root)
			b := s3test.Open(t, &s3.Opener{Attempts: 1}, s, secrets)
			happened := server.Fault(t, servers.S3Fault{Name: c.name, Bucket: bucket, Region: "eu-west-3"})

			errs := providertest.Operations(t.Context(), b)
			for op := range strings.FieldsSeq(c.ops) {
				var e *providers.Error
				if !errors.As(errs[op], &e) || e.Kind != c.kind || e.Op != op || e.Code != c.code && op != "stat" {
					t.Errorf("%s: got %#v, want %s %s", op, errs[op], c.kind, c.code)
					continue
				}
				hasRequestID := e.RequestID != "" || c.name == "HTML"
				if e.Status != c.status || !hasRequestID || !strings.Contains(e.Advice(), c.advice) {
					t.Errorf("%s: status %d, request %q, advice %q", op, e.Status, e.RequestID, e.Advice())
				}
			}
			if happened() == 0 {
				t.Error("the fault never happened")
			}
		})
	}
}

// A read needs another right at the KMS key than a write: one decrypts,
// the other encrypts.
func TestEmulatedKMSNamesTheRight(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	bucket := s3test.BucketWithObject(t, server, s3test.Content)
	server.Fault(t, servers.S3Fault{Name: "KMSDenied", Bucket: bucket})
	b := s3test.OpenAt(t, server.Endpoint, bucket, server.Root)
	errs := providertest.Operations(t.Context(), b)
	for op, action := range map[string]string{"get": "kms:Decrypt", "put": "kms:GenerateDataKey"} {
		var e *providers.Error
		if !errors.As(errs[op], &e) || !strings.Contains(e.Fix, action+" on ") ||
			!strings.Contains(e.Detail, action+" on resource: arn:aws:kms:us-east-1:") {
			t.Errorf("%s: got %v with fix %q", op, errs[op], e.Advice())
		}
	}
}

// A fault of the emulator affects only the user, the bucket and the
// operation that it names. Otherwise parallel tests would disturb each
// other.
func TestEmulatedFaultsAreSeparate(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	bucket := s3test.BucketWithObject(t, server, s3test.Content)
	reader := server.Reader(t, bucket)
	server.Fault(t, servers.S3Fault{Name: "SlowDown", AccessKey: reader.AccessKeyID, Op: "get"})
	server.Fault(t, servers.S3Fault{Name: "SlowDown", Bucket: server.Bucket(t)})

	root := s3test.OpenAt(t, server.Endpoint, bucket, server.Root)
	got, err := s3test.ReadAll(t.Context(), root, providers.ReadOptions{})
	if err != nil || got != s3test.Content {
		t.Errorf("another user got %q, %v", got, err)
	}
	b := s3test.OpenAt(t, server.Endpoint, bucket, reader)
	_, err = s3test.ReadAll(t.Context(), b, providers.ReadOptions{})
	if providers.KindOf(err) != providers.Throttled {
		t.Errorf("the reader got %v", err)
	}
	if _, err := b.Stat(t.Context(), "k"); err != nil {
		t.Errorf("another operation: %v", err)
	}
}

// A request that the server asks to slow down is repeated, and
// succeeds.
func TestEmulatedSlowDownPasses(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	for op, do := range map[string]func(providers.Bucket) error{
		"list": func(b providers.Bucket) error {
			for _, err := range b.List(t.Context(), providers.ListOptions{}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"get": func(b providers.Bucket) error {
			_, err := s3test.ReadAll(t.Context(), b, providers.ReadOptions{})
			return err
		},
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
			bucket := s3test.BucketWithObject(t, server, s3test.Content)
			s, secrets := s3test.Storage(t, server.Endpoint, bucket, server.Root)
			b := s3test.Open(t, &s3.Opener{Attempts: 3}, s, secrets)
			happened := server.Fault(t, servers.S3Fault{Name: "SlowDown", Bucket: bucket, Op: op, Times: 2})
			if err := do(b); err != nil {
				t.Error(err)
			}
			if n := happened(); n != 2 {
				t.Errorf("it happened %d times", n)
			}
		})
	}
}

// A write whose answer is lost is sent again. Without a condition it
// succeeds. With one it is a Conflict, though the content is in place.
func TestEmulatedLostAnswer(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	for name, c := range map[string]struct {
		opts providers.WriteOptions
		kind providers.Kind
	}{
		"Always":   {providers.WriteOptions{}, ""},
		"IfAbsent": {providers.WriteOptions{IfAbsent: true}, providers.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bucket := server.Bucket(t)
			b := s3test.OpenAt(t, server.Endpoint, bucket, server.Root)
			happened := server.Fault(t, servers.S3Fault{Name: "LostAnswer", Bucket: bucket, Op: "put", Times: 1})
			_, err := b.Put(t.Context(), "k", strings.NewReader(s3test.Content), c.opts)
			if providers.KindOf(err) != c.kind || happened() != 1 {
				t.Errorf("got %v, want %q", err, c.kind)
			}
			got, err := s3test.ReadAll(t.Context(), b, providers.ReadOptions{})
			if got != s3test.Content || err != nil {
				t.Errorf("the key holds %q, %v", got, err)
			}
		})
	}
}
