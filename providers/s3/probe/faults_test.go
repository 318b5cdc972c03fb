package probe_test

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const (
	byKey  = tasks.AuthAccessKey
	byRole = tasks.AuthAssumeRole
)

// Without a fault every check passes, except that of KMS: its right to
// encrypt shows only when something is stored.
func TestHealthyBucket(t *testing.T) {
	t.Parallel()
	b := s3test.OpenFakeAWS(t, s3test.Fault{}, byRole)
	checks := s3test.Probe(t, b, s3test.AllNeeds())
	for id, status := range map[string]tasks.CheckStatus{
		"credentials": ok, "role": ok, "region": ok, "list": ok, "read": ok,
		"write": ok, "versions": ok, "kms": unknown, "rights": ok,
	} {
		if checks[id].Status != status {
			t.Errorf("%s: %+v, want %s", id, checks[id], status)
		}
	}
	for id, words := range map[string]string{
		"credentials": "arn:aws:iam::111122223333:user/worker in account 111122223333",
		"role":        "assumed-role/Pictures/s until 2099-01-01T00:00:00Z",
		"read":        s3test.KMSKey,
		"kms":         "kms:Decrypt works with " + s3test.KMSKey,
	} {
		if !strings.Contains(checks[id].Evidence, words) {
			t.Errorf("%s: %q is not in %q", id, words, checks[id].Evidence)
		}
	}
	for _, words := range []string{"only kms:Decrypt", "kms:GenerateDataKey", s3test.KMSKey} {
		if !strings.Contains(checks["kms"].Fix, words) {
			t.Errorf("%q is not in %q", words, checks["kms"].Fix)
		}
	}
}

// answer is a failure that AWS answers with.
type answer struct {
	status  int
	code    string // empty for an answer in another format
	message string
	fix     string // words of the fix that the check must give
}

const (
	user   = "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: "
	noRule = " because no identity-based policy allows the "
	noRole = "User: arn:aws:iam::111122223333:user/worker is not authorized to perform: " +
		"sts:AssumeRole on resource: " + s3test.Role
	roleCauses = "no role " + s3test.Role + "; " +
		"(2) its trust policy does not name the worker's account 111122223333 as principal; " +
		`(3) its trust policy asks for another external ID than "ws-41c9"`
)

// One wrong answer fails one check, which says what to do.
func TestOneFaultFailsOneCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		check   string
		method  string
		call    string // what is answered wrongly
		answers []answer
	}{
		{"credentials", byKey, "sts:GetCallerIdentity", []answer{
			{
				403, "InvalidClientTokenId",
				"The security token included in the request is invalid.",
				"access_key_id",
			},
			{
				403, "SignatureDoesNotMatch",
				"The request signature we calculated does not match the signature you provided.",
				"secret_access_key",
			},
			{
				403, "SignatureDoesNotMatch",
				"Signature expired: 20261122T010000Z is now earlier than 20261122T020000Z (20261122T021500Z - 15 min.)",
				"clock",
			},
			{403, "ExpiredToken", "The security token included in the request is expired", "session_token"},
		}},
		{"credentials", byRole, "sts:GetCallerIdentity", []answer{
			{403, "ExpiredToken", "The security token included in the request is expired", "operator"},
			{
				403, "InvalidClientTokenId",
				"The security token included in the request is invalid.",
				"operator",
			},
		}},
		{"role", byRole, "sts:AssumeRole", []answer{
			{403, "AccessDenied", noRole, roleCauses},
			{
				403, "AccessDenied",
				noRole + noRule + "sts:AssumeRole action",
				"allow sts:AssumeRole on " + s3test.Role,
			},
			{
				400, "ValidationError",
				"1 validation error detected: Value 'x' at 'roleArn' failed to satisfy constraint",
				"role_arn",
			},
			{
				403, "RegionDisabledException",
				"STS is not activated in this region for account:111122223333.",
				"region",
			},
			{200, "", "<!DOCTYPE html><html><body>hello</body></html>", "STS endpoint"},
			{503, "ServiceUnavailable", "Service is unable to handle request.", "fewer"},
		}},
		{"region", byKey, "s3:any", []answer{
			{
				301, "PermanentRedirect",
				"The bucket you are attempting to access must be addressed using the specified endpoint.",
				"region",
			},
			{
				400, "AuthorizationHeaderMalformed",
				"The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-west-2'",
				"region to us-west-2",
			},
			{
				400, "IllegalLocationConstraintException",
				"The me-south-1 location constraint is incompatible for the region specific endpoint this request was sent to.",
				"enabled",
			},
		}},
		{"list", byKey, "s3:any", []answer{
			{404, "NoSuchBucket", "The specified bucket does not exist", "bucket name"},
			{400, "InvalidBucketName", "The specified bucket is not valid.", "bucket name"},
			{
				403, "InvalidAccessKeyId",
				"The AWS Access Key Id you provided does not exist in our records.",
				"access key ID",
			},
			{
				403, "SignatureDoesNotMatch",
				"The request signature we calculated does not match the signature you provided.",
				"secret access key",
			},
			{
				403, "RequestTimeTooSkewed",
				"The difference between the request time and the current time is too large.",
				"clock",
			},
			{400, "ExpiredToken", "The provided token has expired.", "session token"},
			{400, "InvalidToken", "The provided token is malformed or otherwise invalid.", "session token"},
			{200, "", "<!DOCTYPE html><html><body>console</body></html>", "S3 API"},
			{404, "", "<html>nginx</html>", "S3 API"},
			{503, "SlowDown", "Please reduce your request rate.", "fewer"},
			{500, "InternalError", "We encountered an internal error. Please try again.", "trouble"},
			{
				501, "NotImplemented",
				"A header you provided implies functionality that is not implemented",
				"lacks a call",
			},
		}},
		{"list", byKey, "s3:ListBucket", []answer{
			{
				403, "AccessDenied",
				user + `s3:ListBucket on resource: "arn:aws:s3:::pictures"` + noRule + "s3:ListBucket action",
				"Allow s3:ListBucket on arn:aws:s3:::pictures in",
			},
			{
				403, "AccessDenied",
				"Access Denied",
				"s3:ListBucket on arn:aws:s3:::pictures. The server does not say why",
			},
			{
				403, "AccessDenied",
				user + `s3:ListBucket on resource: "arn:aws:s3:::pictures" with an explicit deny in a service control policy`,
				"in a service control policy",
			},
			{
				403, "AccessDenied",
				user + `s3:ListBucket on resource: "arn:aws:s3:::pictures" because no resource-based policy allows the s3:ListBucket action`,
				"in the bucket policy",
			},
			{403, "AllAccessDisabled", "All access to this object has been disabled", "AWS support"},
		}},
		{"read", byKey, "s3:GetObject", []answer{
			{
				403, "AccessDenied",
				user + `s3:GetObject on resource: "arn:aws:s3:::pictures/dir/k"` + noRule + "s3:GetObject action",
				"Allow s3:GetObject on arn:aws:s3:::pictures/dir/* in",
			},
			{403, "AccessDenied", "Access Denied", "requester_pays"},
			{
				403, "AccessDenied",
				user + "kms:Decrypt on resource: " + s3test.KMSKey + noRule + "kms:Decrypt action",
				"Allow kms:Decrypt on " + s3test.KMSKey,
			},
			{400, "KMS.DisabledException", s3test.KMSKey + " is disabled.", "KMS key is disabled"},
			{400, "KMS.NotFoundException", "Key does not exist", "gone"},
			{
				403, "InvalidObjectState",
				"The operation is not valid for the object's storage class",
				"restore",
			},
		}},
		{"write", byRole, "s3:PutObject", []answer{
			{
				403, "AccessDenied",
				user + `s3:PutObject on resource: "arn:aws:s3:::pictures/dir/x"` + noRule + "s3:PutObject action",
				"Allow s3:PutObject",
			},
			{
				403, "AccessDenied",
				user + "kms:GenerateDataKey on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
				"kms:GenerateDataKey",
			},
			{
				403, "AccessDenied",
				user + `s3:PutObject on resource: "arn:aws:s3:::pictures/dir/x" with an explicit deny in a VPC endpoint policy`,
				"in a VPC endpoint policy",
			},
		}},
		{"versions", byRole, "s3:ListBucketVersions", []answer{
			{403, "AccessDenied", "Access Denied", "s3:ListBucketVersions on arn:aws:s3:::pictures."},
			{501, "NotImplemented", "not here", "lacks a call"},
		}},
	} {
		for _, a := range c.answers {
			t.Run(fmt.Sprintf("%s/%s/%s", c.check, c.method, a.code), func(t *testing.T) {
				t.Parallel()
				fault := s3test.Fault{To: c.call, Status: a.status, Code: a.code, Message: a.message}
				b := s3test.OpenFakeAWS(t, fault, c.method)
				otherFormat := "NotS3"
				if strings.HasPrefix(c.call, "sts:") {
					otherFormat = "NotSTS"
				}
				s3test.CheckOneFailure(t, b, c.check, cmp.Or(a.code, otherFormat), a.fix)
			})
		}
	}
}

// What works now but causes trouble later fails nothing. One check
// warns.
func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault   s3test.Fault
		id, fix string
	}{
		{s3test.Fault{
			To: "sts:AssumeRole without external ID", Status: 200, Message: s3test.Session,
		}, "role", `"sts:ExternalId": "ws-41c9"`},
		{s3test.Fault{
			To: "s3:AbortMultipartUpload", Status: 403, Code: "AccessDenied", Message: "Access Denied",
		}, "write", "s3:AbortMultipartUpload on arn:aws:s3:::pictures/dir/*"},
		{s3test.Fault{
			To: "s3:ListBucket without prefix", Status: 200, Message: s3test.Listing(""),
		}, "rights", `"s3:prefix":"dir/*"`},
		{s3test.Fault{
			To: "s3:GetBucketPolicy", Status: 404, Code: "NoSuchBucketPolicy",
			Message: "The bucket policy does not exist",
		}, "rights", "Grant only"},
		{s3test.Fault{
			To: "s3:ListAllMyBuckets", Status: 200, Message: "<ListAllMyBucketsResult/>",
		}, "rights", s3test.KMSKey},
	} {
		b := s3test.OpenFakeAWS(t, c.fault, byRole)
		checks := s3test.Probe(t, b, s3test.AllNeeds())
		if got := checks[c.id]; got.Status != warn || !strings.Contains(got.Fix, c.fix) {
			t.Errorf("%s: %+v, want %q in the fix", c.id, got, c.fix)
		}
		for _, got := range checks {
			if got.ID != c.id && (got.Status == warn || got.Status == fail) {
				t.Errorf("%s: %+v", c.id, got)
			}
		}
	}
}
