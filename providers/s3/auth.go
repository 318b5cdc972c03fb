package s3

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// IdentitySetting is the setting with which the operator lets payloads use
// the worker's own identity.
const IdentitySetting = "STEVEDORE_WORKER_IDENTITY"

// identity is who a bucket's requests are signed by.
type identity struct {
	credentials aws.CredentialsProvider
	seen        *seen
	role        *role // nil unless one is assumed
}

// identityOf makes the identity of a storage. It makes no request.
func (o *Opener) identityOf(s tasks.Storage, secrets providers.Secrets) (identity, error) {
	refused := &providers.Error{Op: "open", Bucket: s.Bucket, Kind: providers.Invalid, Code: "AuthNotSupported"}
	switch s.Auth.Method {
	case tasks.AuthAnonymous:
		return identity{credentials: aws.AnonymousCredentials{}, seen: &seen{}}, nil
	case tasks.AuthAccessKey:
		return accessKey(s.Auth, secrets)
	case tasks.AuthAssumeRole:
		r, err := o.roleOf(s)
		if err != nil {
			return identity{}, err
		}
		w := &seen{from: r.credentials}
		return identity{credentials: w, seen: w, role: r}, nil
	case tasks.AuthWorkerIdentity:
		if o.WorkerIdentity {
			w := &seen{from: own{o}}
			return identity{credentials: w, seen: w}, nil
		}
		refused.Code = "AuthNotAllowed"
		refused.Detail = "this worker does not lend its own identity to payloads"
		refused.Fix = "Let the workers' operator add s3 to " + IdentitySetting + ", or use assume-role with a role of the bucket's account."
		return identity{}, refused
	}
	refused.Detail = fmt.Sprintf("provider s3 has no method %q", s.Auth.Method)
	refused.Fix = "Use access-key, assume-role, worker-identity or anonymous."
	return identity{}, refused
}

func accessKey(a tasks.Auth, secrets providers.Secrets) (identity, error) {
	secret, err := secrets.Resolve(a.SecretAccessKey)
	if err != nil {
		return identity{}, err
	}
	token, err := secrets.Resolve(a.SessionToken)
	if err != nil {
		return identity{}, err
	}
	w := &seen{}
	w.remember(secret, token)
	return identity{credentials: credentials.NewStaticCredentialsProvider(a.AccessKeyID, secret, token), seen: w}, nil
}

// seen remembers the secrets that requests were signed with, so that no error
// shows them: a server that was sent a session token could answer with it.
type seen struct {
	from aws.CredentialsProvider

	mu     sync.Mutex
	values []string
}

const seenMost = 6 // values: those in use and those of the two renewals before, whose answers may still come

// Retrieve implements aws.CredentialsProvider.
func (s *seen) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := s.from.Retrieve(ctx)
	if err == nil {
		s.remember(c.SecretAccessKey, c.SessionToken)
	}
	return c, err
}

func (s *seen) remember(values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range values {
		if v != "" && !slices.Contains(s.values, v) {
			s.values = append(s.values, v)
		}
	}
	if len(s.values) > seenMost {
		s.values = slices.Delete(s.values, 0, len(s.values)-seenMost)
	}
}

// redact replaces every secret in a text.
func (s *seen) redact(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return providers.RedactValues(text, s.values...)
}
