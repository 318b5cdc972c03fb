package identity

import (
	"cmp"
	"context"
	"errors"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/stevedore-jobs/stevedore/providers"
)

// personOptions returns how the credentials of a person are looked for.
// A role with MFA asks for the code on the terminal. The metadata
// service is asked once, because a person's machine rarely has one.
func personOptions(profile string) []func(*config.LoadOptions) error {
	options := []func(*config.LoadOptions) error{
		config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
			o.TokenProvider = stscreds.StdinTokenProvider
		}),
		config.WithEC2RoleCredentialOptions(func(o *ec2rolecreds.Options) {
			o.Client = imds.New(imds.Options{Retryer: aws.NopRetryer{}})
		}),
	}
	if profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	return options
}

// noPerson makes the error of a person without credentials at AWS. The
// SDK asks the metadata service last: if that fails, nothing else was
// there. Any other cause is one that the person can mend.
func noPerson(profile string, cause error) *providers.Error {
	e := &providers.Error{
		Op: "sign in", Kind: providers.Unauthenticated, Code: "NoCredentials",
		Fix: "Sign in with aws sso login or aws configure, or name a profile with --profile. " +
			"For a public bucket give --anonymous.",
	}
	if !strings.Contains(cause.Error(), "EC2 IMDS") {
		e.Detail = "the credentials of AWS cannot be used: " + cause.Error()
		return e
	}
	e.Detail = "no credentials found: there is no AWS_ACCESS_KEY_ID in the environment, " +
		"no usable profile " + cmp.Or(profile, os.Getenv("AWS_PROFILE"), "default") + " in " +
		configFile(os.Getenv) + " or " + credentialsFile(os.Getenv) +
		", no AWS_WEB_IDENTITY_TOKEN_FILE, and no role of a container or a machine"
	return e
}

func configFile(env func(string) string) string {
	return cmp.Or(env("AWS_CONFIG_FILE"), config.DefaultSharedConfigFilename())
}

func credentialsFile(env func(string) string) string {
	return cmp.Or(env("AWS_SHARED_CREDENTIALS_FILE"), config.DefaultSharedCredentialsFilename())
}

// Profile is what a person's profile says about the place of buckets.
type Profile struct {
	Region   string
	Endpoint string // empty for AWS
}

// LoadProfile reads the profile that AWS_PROFILE names, or the default
// one, which need not exist. The values of the variables come from env.
func LoadProfile(env func(string) string) (Profile, error) {
	ctx := context.Background() // only files are read
	name := cmp.Or(env("AWS_PROFILE"), env("AWS_DEFAULT_PROFILE"))
	c, err := config.LoadSharedConfigProfile(ctx, cmp.Or(name, "default"),
		func(o *config.LoadSharedConfigOptions) {
			o.ConfigFiles = []string{configFile(env)}
			o.CredentialsFiles = []string{credentialsFile(env)}
		})
	switch {
	case errors.As(err, new(config.SharedConfigProfileNotExistError)) && name == "":
		return Profile{}, nil
	case errors.As(err, new(config.SharedConfigProfileNotExistError)):
		return Profile{}, errors.New("there is no profile " + name + " in " + configFile(env) +
			" or " + credentialsFile(env) + " (AWS_PROFILE or --profile)")
	case err != nil:
		return Profile{}, err
	}
	p := Profile{Region: c.Region}
	ignored := strings.EqualFold(env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true")
	if ignored || aws.ToBool(c.IgnoreConfiguredEndpoints) {
		return p, nil
	}
	ofS3, _, err := c.GetServiceBaseEndpoint(ctx, "S3")
	p.Endpoint = cmp.Or(ofS3, c.BaseEndpoint)
	return p, err
}
