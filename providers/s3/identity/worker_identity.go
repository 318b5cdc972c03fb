package identity

import (
	"context"
	"os"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
)

// workerCredentials gets the worker's own credentials: those of its
// environment, profile, web identity or instance, in the order of the
// AWS SDK. assume-role signs requests to STS with them, worker-identity
// requests to buckets. The zero value is ready for use.
//
// It uses the SDK's own HTTP client, because the egress rules refuse
// the metadata services of EC2, ECS and EKS. Nothing of a payload is
// sent to them.
type workerCredentials struct {
	person  bool
	profile string

	mu     sync.Mutex
	loaded aws.CredentialsProvider // nil until load succeeds; guarded by mu
}

// Retrieve implements aws.CredentialsProvider.
func (w *workerCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	from, err := w.load(ctx)
	if err != nil {
		return aws.Credentials{}, w.missing(err)
	}
	creds, err := from.Retrieve(ctx)
	// The answers of metadata services, programs and files are for the
	// operator only. An answer of STS to a web identity is classified
	// later, like all others of STS.
	if err != nil && ctx.Err() == nil && !s3error.IsSTS(err) {
		return aws.Credentials{}, w.missing(err)
	}
	return creds, err
}

// FindWorker returns an error if the worker has no identity at AWS.
func (s *Source) FindWorker(ctx context.Context) error {
	_, err := s.worker.Retrieve(ctx)
	return err
}

func (w *workerCredentials) missing(cause error) *providers.Error {
	if w.person {
		return noPerson(w.profile, cause)
	}
	return noIdentity()
}

// load reads the worker's configuration once. After a failure the next
// call tries again.
func (w *workerCredentials) load(ctx context.Context) (aws.CredentialsProvider, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.loaded != nil {
		return w.loaded, nil
	}
	options := []func(*config.LoadOptions) error{
		config.WithLogger(logging.Nop{}), config.WithDefaultRegion(defaultRegion),
	}
	if w.person {
		options = append(options, personOptions(w.profile)...)
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, err
	}
	w.loaded = c.Credentials
	return w.loaded, nil
}

const caBundle = "AWS_CA_BUNDLE"

// noIdentity makes the error of a worker without an identity at AWS. It
// leaves out the cause, which names files of the worker.
func noIdentity() *providers.Error {
	e := &providers.Error{
		Op: s3error.OpAssumeRole, Kind: providers.Unauthenticated, Code: "NoWorkerIdentity",
		Detail: "the worker has no AWS identity of its own",
		Fix: "Let the workers' operator give them one: AWS_ACCESS_KEY_ID and " +
			"AWS_SECRET_ACCESS_KEY, AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, " +
			"or a role of the instance.",
	}
	if os.Getenv(caBundle) != "" { // a bundle that cannot be read is a cause too
		e.Fix += " Let them check the file that " + caBundle + " names."
	}
	return e
}
