// Package s3test helps to test the packages of providers/s3. It opens
// buckets on the S3 server of deploy/emulators, on an HTTP handler of
// the test, or on FakeAWS, and finds out what they answer.
//
// It is for tests only.
package s3test

import (
	"cmp"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Keys returns an access key for servers that accept any. Its secret is
// "top-secret".
func Keys() servers.Keys {
	return servers.Keys{AccessKeyID: "AKIA", SecretAccessKey: "top-secret"}
}

// Storage makes a storage that is used with an access key. Its secret
// lies in a file, which the returned Secrets allow.
func Storage(
	t testing.TB, endpoint, bucket string, k servers.Keys,
) (tasks.Storage, providers.Secrets) {
	t.Helper()
	secret, secrets := SecretFile(t, k.SecretAccessKey)
	return tasks.Storage{
		Provider: "s3", Bucket: bucket, Endpoint: endpoint,
		Auth: tasks.Auth{
			Method:      tasks.AuthAccessKey,
			AccessKeyID: k.AccessKeyID, SecretAccessKey: secret,
		},
	}, secrets
}

// SecretFile stores a secret in a file, and returns a reference to it
// and Secrets that allow it.
func SecretFile(t testing.TB, value string) (tasks.Secret, providers.Secrets) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
		t.Fatal(err)
	}
	ref, err := tasks.SecretRef("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	return ref, providers.Secrets{Allow: []string{"file:" + path}}
}

// Open opens a storage with the opener o. An o without a client gets
// one that may connect to this machine. Requests are made twice, unless
// o says otherwise.
func Open(
	t testing.TB, o *s3.Opener, s tasks.Storage, secrets providers.Secrets,
) providers.Bucket {
	t.Helper()
	if err := (tasks.VerifyConnection{Storage: s}).Validate(); err != nil {
		t.Fatal(err)
	}
	if o.Client == nil {
		allow, err := egress.ParseAllow("127.0.0.0/8")
		if err != nil {
			t.Fatal(err)
		}
		o.Client = egress.Policy{Allow: allow}.Client()
		t.Cleanup(o.Client.CloseIdleConnections)
	}
	o.Attempts = cmp.Or(o.Attempts, 2)
	b, err := o.Open(context.Background(), s, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// OpenAt opens a bucket of a server with an access key.
func OpenAt(t testing.TB, endpoint, bucket string, k servers.Keys) providers.Bucket {
	t.Helper()
	s, secrets := Storage(t, endpoint, bucket, k)
	return Open(t, &s3.Opener{}, s, secrets)
}

// OpenHandler opens the bucket "b" of a server that a handler answers
// for. The secret is that of Keys.
func OpenHandler(t testing.TB, handler http.HandlerFunc) providers.Bucket {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return OpenAt(t, server.URL, "b", Keys())
}

// OpenVia opens a storage whose requests are all answered by a handler,
// to whatever host they go.
func OpenVia(
	t testing.TB, handler http.Handler, s tasks.Storage, secrets providers.Secrets,
) providers.Bucket {
	t.Helper()
	return Open(t, &s3.Opener{Client: providertest.Client(handler)}, s, secrets)
}

// AsAWS returns a client that may connect to this machine, for which
// the server at an endpoint is AWS: requests for hosts below
// amazonaws.com go there.
func AsAWS(t testing.TB, endpoint string) *http.Client {
	t.Helper()
	at, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: awsTransport{at}}
}

type awsTransport struct{ at *url.URL }

// RoundTrip implements http.RoundTripper. It keeps the header Host,
// which is signed.
func (a awsTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Host, ".amazonaws.com") {
		r = r.Clone(r.Context())
		r.Host = cmp.Or(r.Host, r.URL.Host)
		r.URL.Scheme, r.URL.Host = a.at.Scheme, a.at.Host
	}
	return http.DefaultTransport.RoundTrip(r)
}

// Content is what BucketWithObject stores.
const Content = "0123456789"

// BucketWithObject makes a bucket on the emulator, and stores content
// under the key "k".
func BucketWithObject(t testing.TB, server servers.S3Server, content string) string {
	t.Helper()
	bucket := server.Bucket(t)
	Put(t, OpenAt(t, server.Endpoint, bucket, server.Root), "k", content)
	return bucket
}

// Put stores an object.
func Put(t testing.TB, b providers.Bucket, key, content string) {
	t.Helper()
	_, err := b.Put(t.Context(), key, strings.NewReader(content), providers.WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
}
