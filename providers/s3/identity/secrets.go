package identity

import (
	"context"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/stevedore-jobs/stevedore/providers"
)

// maxSecrets bounds the secrets that a recorder keeps. Each renewal
// adds a secret key and a session token. Those of the two renewals
// before are kept too, because answers to older requests may still
// come.
const maxSecrets = 6

// secretRecorder keeps the secrets that requests were signed with, so
// that no error shows them: a server gets session tokens, and could
// repeat one in its answer. All methods are safe for concurrent use.
type secretRecorder struct {
	mu     sync.Mutex
	values []string // guarded by mu; the newest is last
}

func (r *secretRecorder) record(values ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range values {
		if v != "" && !slices.Contains(r.values, v) {
			r.values = append(r.values, v)
		}
	}
	if len(r.values) > maxSecrets {
		r.values = slices.Delete(r.values, 0, len(r.values)-maxSecrets)
	}
}

// redact replaces every recorded secret in a text.
func (r *secretRecorder) redact(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return providers.RedactValues(text, r.values...)
}

// recording returns credentials that record their secrets when they are
// used.
func (r *secretRecorder) recording(from aws.CredentialsProvider) aws.CredentialsProvider {
	return &recordedCredentials{from: from, recorder: r}
}

type recordedCredentials struct {
	from     aws.CredentialsProvider
	recorder *secretRecorder
}

// Retrieve implements aws.CredentialsProvider.
func (c *recordedCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	creds, err := c.from.Retrieve(ctx)
	if err == nil {
		c.recorder.record(creds.SecretAccessKey, creds.SessionToken)
	}
	return creds, err
}
