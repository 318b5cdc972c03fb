package s3

import (
	"context"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"github.com/stevedore-jobs/stevedore/providers"
)

// own is the worker's own identity: what environment, profile, web identity
// or instance of the worker say, in the order of the AWS SDK. Only
// assume-role, which asks STS with it, and worker-identity use it.
type own struct{ o *Opener }

// Retrieve implements aws.CredentialsProvider.
func (w own) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := w.o.ownConfig(ctx)
	if err != nil {
		return aws.Credentials{}, noIdentity()
	}
	creds, err := c.Credentials.Retrieve(ctx)
	// What a metadata service, a program or a file answered is the operator's
	// business; what STS says to a web identity is classified with all else
	// that STS says.
	if err != nil && ctx.Err() == nil && serviceOf(err) != serviceSTS {
		return aws.Credentials{}, noIdentity()
	}
	return creds, err
}

// ownConfig looks the worker's identity up once. A failure is not remembered.
func (o *Opener) ownConfig(ctx context.Context) (aws.Config, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.found != nil {
		return *o.found, nil
	}
	options := []func(*config.LoadOptions) error{config.WithLogger(logging.Nop{})}
	if !o.InstanceIdentity {
		options = append(options, config.WithHTTPClient(o.Client))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, err
	}
	if c.Region == "" {
		c.Region = defaultRegion
	}
	o.found = &c
	return c, nil
}

// noIdentity is the error of a worker that AWS does not know. The cause names
// files of the worker, which are nobody else's business.
func noIdentity() *providers.Error {
	e := &providers.Error{
		Op: opAssume, Kind: providers.Unauthenticated, Code: "NoWorkerIdentity", Detail: "the worker has no AWS identity of its own",
		Fix: "Let the workers' operator give them one: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_WEB_IDENTITY_TOKEN_FILE and" +
			" AWS_ROLE_ARN, or a role of the instance.",
	}
	if os.Getenv(caBundle) != "" { // with it, the SDK takes no client but its own
		e.Fix += " Where " + caBundle + " is set, let them set SSL_CERT_FILE in its place."
	}
	return e
}

const caBundle = "AWS_CA_BUNDLE"
