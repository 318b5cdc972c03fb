package s3

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// credentialsOf makes the credentials of a storage. hidden are the values that no error may show, because a server that
// was sent them could answer with them.
func credentialsOf(s tasks.Storage, secrets providers.Secrets) (c aws.CredentialsProvider, hidden []string, err error) {
	switch s.Auth.Method {
	case tasks.AuthAnonymous:
		return aws.AnonymousCredentials{}, nil, nil
	case tasks.AuthAccessKey:
		return accessKey(s.Auth, secrets)
	case tasks.AuthAssumeRole:
		return nil, nil, &providers.Error{
			Op: "open", Bucket: s.Bucket, Kind: providers.Invalid, Code: "AuthNotSupported",
			Detail: "this worker cannot assume roles yet",
			Fix:    "Use method access-key, with temporary credentials of the role if need be (session_token).",
		}
	}
	return nil, nil, &providers.Error{
		Op: "open", Bucket: s.Bucket, Kind: providers.Invalid, Code: "AuthNotSupported",
		Detail: fmt.Sprintf("provider s3 has no method %q", s.Auth.Method),
		Fix:    "Use access-key or anonymous.",
	}
}

func accessKey(a tasks.Auth, secrets providers.Secrets) (c aws.CredentialsProvider, hidden []string, err error) {
	secret, err := secrets.Resolve(a.SecretAccessKey)
	if err != nil {
		return nil, nil, err
	}
	token, err := secrets.Resolve(a.SessionToken)
	if err != nil {
		return nil, nil, err
	}
	hidden = []string{secret}
	if token != "" {
		hidden = append(hidden, token)
	}
	return credentials.NewStaticCredentialsProvider(a.AccessKeyID, secret, token), hidden, nil
}
