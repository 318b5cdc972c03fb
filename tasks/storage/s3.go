package storage

import (
	"regexp"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
)

// The ways to authenticate that only S3 has.
const (
	AuthAccessKey  = "access-key"  // access key ID and secret access key; optional session token
	AuthAssumeRole = "assume-role" // the worker assumes a role of the customer's account
)

var s3Form = form{
	name: "s3",
	methods: []method{
		{
			name:  AuthAccessKey,
			needs: []string{"access_key_id", "secret_access_key"},
			takes: []string{"session_token"},
		},
		{
			name:  AuthAssumeRole,
			needs: []string{"role_arn"},
			takes: []string{"external_id", "no_external_id"},
		},
		workerIdentity,
		anonymous,
	},
	fields: []string{
		"region", "endpoint", "addressing", "requester_pays", "expected_owner", "unconditional_put",
	},
	check:     checkS3,
	checkAuth: checkS3Auth,
	checkARN:  checkS3ARN,
}

var (
	accountID = regexp.MustCompile(`^[0-9]{12}$`)
	// regionCode is the rule of AWS's SDKs: a region is part of a host
	// name. Servers other than AWS have names of their own, such as
	// garage or RegionOne.
	regionCode = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

	bucketARN = regexp.MustCompile(`^arn:[a-z-]*:s3:::([^/:]+)`)
	// accessPointARN matches the access points of buckets, those of
	// several regions, of Object Lambda and of Outposts.
	accessPointARN = regexp.MustCompile(`^arn:aws[a-z-]*:(?:` +
		`s3(?:-object-lambda)?:[a-z0-9-]*:[0-9]{12}:|` +
		`s3-outposts:[a-z0-9-]+:[0-9]{12}:outpost[:/][a-z0-9-]{1,63}[:/]` +
		`)accesspoint[:/][a-z0-9.-]{1,63}$`)
)

func checkS3(errs *fields.Errors, s Storage) {
	if s.Addressing != "" {
		errs.OneOf("addressing", s.Addressing, []string{"path", "virtual"})
	}
	if s.Addressing == "path" && accessPointARN.MatchString(s.Bucket) {
		errs.Add("addressing", "must not be path for the ARN of an access point")
	}
	if s.ExpectedOwner != "" && !accountID.MatchString(s.ExpectedOwner) {
		errs.Add("expected_owner", "%q is not an AWS account ID of 12 digits", s.ExpectedOwner)
	}
	switch {
	case s.Region == "" || regionCode.MatchString(s.Region):
	case strings.TrimSpace(s.Region) != s.Region:
		errs.Add("region", "%q has white space around it", s.Region)
	default:
		errs.Add("region", "%q is not the code of a region, such as us-east-2", s.Region)
	}
}

func checkS3ARN(errs *fields.Errors, name string) {
	switch of := bucketARN.FindStringSubmatch(name); {
	case accessPointARN.MatchString(name):
	case of != nil:
		errs.Add("bucket", "is the ARN of a bucket: give its name alone, %s", of[1])
	default:
		errs.Add("bucket", "is an ARN, but not that of an access point of S3")
	}
}

func checkS3Auth(errs *fields.Errors, a Auth) {
	switch {
	case a.NoExternalID && a.ExternalID != "":
		errs.Add("no_external_id", "contradicts external_id")
	case a.Method == AuthAssumeRole && a.ExternalID == "" && !a.NoExternalID:
		errs.Add("external_id", "empty: give the one that the role's trust policy asks for, "+
			"or no_external_id if it asks for none")
	}
	// White space that was pasted along breaks request signing with an
	// error that names neither the field nor the space.
	if strings.TrimSpace(a.AccessKeyID) != a.AccessKeyID {
		errs.Add("access_key_id", "has white space around it")
	}
}
