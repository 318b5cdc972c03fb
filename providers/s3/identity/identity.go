// Package identity decides what the requests to a bucket are signed
// with: an access key of the payload, a customer's role that the worker
// assumes, the worker's own identity, or nothing.
//
// It knows AWS's STS and no other service. It reads the environment,
// profile and instance role of the worker only for the two methods that
// say so, assume-role and worker-identity, and only for buckets at AWS
// itself. A storage without credentials never gets those of the worker.
package identity

import (
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// Config holds what the operator of a worker decides.
type Config struct {
	Client      *http.Client // sends the requests to STS
	Attempts    int          // how often a request is tried before it fails
	STSEndpoint string       // empty means AWS's STS in the storage's region
	AllowWorker bool         // payloads may use the worker's own identity
	Person      bool         // the worker's identity is that of a person at a keyboard
	Profile     string       // of the person; empty means the default
}

// Source makes identities. It is safe for concurrent use, and must not
// be copied.
type Source struct {
	config Config
	worker workerCredentials
	roles  driver.SessionCache[roleKey, *Role]
}

// NewSource makes a source.
func NewSource(c Config) *Source {
	return &Source{config: c, worker: workerCredentials{person: c.Person, profile: c.Profile}}
}

// Identity is what the requests of one bucket are signed with. Make it
// with Source.Identity.
type Identity struct {
	Credentials aws.CredentialsProvider
	Role        *Role // nil unless a role is assumed

	source  *Source
	storage tasks.Storage
	secrets *secretRecorder
}

// Identity makes the identity of a storage. It makes no request.
func (s *Source) Identity(st tasks.Storage, secrets providers.Secrets) (Identity, error) {
	id := Identity{source: s, storage: st, secrets: &secretRecorder{}}
	switch st.Auth.Method {
	case tasks.AuthAnonymous:
		id.Credentials = aws.AnonymousCredentials{}
		return id, nil

	case tasks.AuthAccessKey:
		var err error
		id.Credentials, err = accessKey(st.Auth, secrets, id.secrets)
		return id, err

	case tasks.AuthAssumeRole:
		if err := s.checkEndpoint(st); err != nil {
			return Identity{}, err
		}
		role, err := s.role(st)
		if err != nil {
			return Identity{}, err
		}
		id.Role, id.Credentials = role, id.secrets.recording(role.credentials)
		return id, nil

	case tasks.AuthWorkerIdentity:
		if !s.config.AllowWorker {
			return Identity{}, notAllowed(st)
		}
		if err := s.checkEndpoint(st); err != nil {
			return Identity{}, err
		}
		id.Credentials = id.secrets.recording(&s.worker)
		return id, nil
	}
	return Identity{}, notSupported(st)
}

// accessKey makes the credentials of a payload with an access key.
func accessKey(
	a tasks.Auth, secrets providers.Secrets, recorder *secretRecorder,
) (aws.CredentialsProvider, error) {
	secret, err := secrets.Resolve(a.SecretAccessKey)
	if err != nil {
		return nil, err
	}
	token, err := secrets.Resolve(a.SessionToken)
	if err != nil {
		return nil, err
	}
	recorder.record(secret, token)
	return credentials.NewStaticCredentialsProvider(a.AccessKeyID, secret, token), nil
}

func notAllowed(s tasks.Storage) error {
	return &providers.Error{
		Op: "open", Bucket: s.Bucket, Kind: providers.Invalid, Code: "AuthNotAllowed",
		Detail: "this worker does not let payloads use its own identity",
		Fix: "Let the workers' operator add s3 to " + setting.WorkerIdentity.String() +
			", or use assume-role with a role of the bucket's account.",
	}
}

func notSupported(s tasks.Storage) error {
	return &providers.Error{
		Op: "open", Bucket: s.Bucket, Kind: providers.Invalid, Code: "AuthNotSupported",
		Detail: fmt.Sprintf("provider s3 has no method %q", s.Auth.Method),
		Fix:    "Use access-key, assume-role, worker-identity or anonymous.",
	}
}

// Redact replaces in a text every secret that requests were signed
// with.
func (i Identity) Redact(text string) string { return i.secrets.redact(text) }

// IsWorker reports whether the worker itself signs in at AWS, with its
// own identity or to assume a role.
func (i Identity) IsWorker() bool {
	return i.Role != nil || i.storage.Auth.Method == tasks.AuthWorkerIdentity
}

// IsAWS reports whether the credentials belong to AWS. AWS's STS does
// not know the credentials of other servers.
func (i Identity) IsAWS() bool { return isAWS(i.storage.Endpoint) }
