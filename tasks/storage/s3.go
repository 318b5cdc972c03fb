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
	fields: []string{"region", "endpoint", "addressing", "requester_pays", "expected_owner"},
	check: func(errs *fields.Errors, s Storage) {
		if s.Addressing != "" {
			errs.OneOf("addressing", s.Addressing, []string{"path", "virtual"})
		}
		if s.ExpectedOwner != "" && !accountID.MatchString(s.ExpectedOwner) {
			errs.Add("expected_owner", "%q is not an AWS account ID of 12 digits", s.ExpectedOwner)
		}
	},
	checkAuth: checkS3Auth,
}

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

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
