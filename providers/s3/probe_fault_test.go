package s3_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Without a fault every check passes but the one that cannot be made without
// storing something.
func TestProbeOfHealthyBucket(t *testing.T) {
	t.Parallel()
	want := map[string]tasks.CheckStatus{
		"credentials": tasks.CheckOK, "role": tasks.CheckOK, "region": tasks.CheckOK, "list": tasks.CheckOK, "read": tasks.CheckOK,
		"write": tasks.CheckOK, "versions": tasks.CheckOK, "kms": tasks.CheckUnknown, "rights": tasks.CheckOK,
	}
	checks := checksOf(t, openGate(t, fault{}, tasks.AuthAssumeRole), everything())
	for id, status := range want {
		if checks[id].Status != status {
			t.Errorf("%s: %+v, want %s", id, checks[id], status)
		}
	}
	for id, words := range map[string]string{
		"credentials": "arn:aws:iam::111122223333:user/worker in account 111122223333",
		"role":        "assumed-role/Pictures/s until 2099-01-01T00:00:00Z",
		"read":        gateKey,
		"kms":         "kms:Decrypt works with " + gateKey,
	} {
		if !strings.Contains(checks[id].Evidence, words) {
			t.Errorf("%s: %q is not in %q", id, words, checks[id].Evidence)
		}
	}
	for _, words := range []string{"only kms:Decrypt", "kms:GenerateDataKey", gateKey} {
		if !strings.Contains(checks["kms"].Fix, words) {
			t.Errorf("%q is not in %q", words, checks["kms"].Fix)
		}
	}
}

const (
	byKey  = tasks.AuthAccessKey
	byRole = tasks.AuthAssumeRole
	user   = "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: "
	noRule = " because no identity-based policy allows the "
)

// What AWS answers, the one check that fails of it, and what its advice must
// name.
func TestOneFaultFailsOneCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method  string
		fault   fault
		id, fix string
		code    string // the fault's own when empty
	}{
		{byKey, fault{to: "sts:GetCallerIdentity", status: 403, code: "InvalidClientTokenId", message: "The security token included in the request is invalid."}, "credentials", "access_key_id", ""},
		{byKey, fault{to: "sts:GetCallerIdentity", status: 403, code: "SignatureDoesNotMatch", message: "The request signature we calculated does not match the signature you provided."}, "credentials", "secret_access_key", ""},
		{byKey, fault{to: "sts:GetCallerIdentity", status: 403, code: "SignatureDoesNotMatch", message: "Signature expired: 20261122T010000Z is now earlier than 20261122T020000Z (20261122T021500Z - 15 min.)"}, "credentials", "clock", ""},
		{byKey, fault{to: "sts:GetCallerIdentity", status: 403, code: "ExpiredToken", message: "The security token included in the request is expired"}, "credentials", "session_token", ""},
		{byRole, fault{to: "sts:GetCallerIdentity", status: 403, code: "ExpiredToken", message: "The security token included in the request is expired"}, "credentials", "operator", ""},
		{byRole, fault{to: "sts:GetCallerIdentity", status: 403, code: "InvalidClientTokenId", message: "The security token included in the request is invalid."}, "credentials", "operator", ""},
		{byRole, fault{to: "sts:AssumeRole", status: 403, code: "AccessDenied", message: "User: arn:aws:iam::111122223333:user/worker is not authorized to perform: sts:AssumeRole on resource: " + gateRole}, "role", `no role ` + gateRole + `; (2) its trust policy does not name the worker's account 111122223333 as principal; (3) its trust policy asks for another external ID than "ws-41c9"`, ""},
		{byRole, fault{to: "sts:AssumeRole", status: 403, code: "AccessDenied", message: "User: arn:aws:iam::111122223333:user/worker is not authorized to perform: sts:AssumeRole on resource: " + gateRole + noRule + "sts:AssumeRole action"}, "role", "allow sts:AssumeRole on " + gateRole, ""},
		{byRole, fault{to: "sts:AssumeRole", status: 400, code: "ValidationError", message: "1 validation error detected: Value 'x' at 'roleArn' failed to satisfy constraint"}, "role", "role_arn", ""},
		{byRole, fault{to: "sts:AssumeRole", status: 403, code: "RegionDisabledException", message: "STS is not activated in this region for account:111122223333."}, "role", "region", ""},
		{byRole, fault{to: "sts:AssumeRole", status: 200, message: "<!DOCTYPE html><html><body>hello</body></html>"}, "role", "STS endpoint", "NotSTS"},
		{byRole, fault{to: "sts:AssumeRole", status: 503, code: "ServiceUnavailable", message: "Service is unable to handle request."}, "role", "fewer", ""},
		{byKey, fault{to: "s3:any", status: 301, code: "PermanentRedirect", message: "The bucket you are attempting to access must be addressed using the specified endpoint."}, "region", "region", ""},
		{byKey, fault{to: "s3:any", status: 400, code: "AuthorizationHeaderMalformed", message: "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-west-2'"}, "region", "region to us-west-2", ""},
		{byKey, fault{to: "s3:any", status: 400, code: "IllegalLocationConstraintException", message: "The me-south-1 location constraint is incompatible for the region specific endpoint this request was sent to."}, "region", "enabled", ""},
		{byKey, fault{to: "s3:any", status: 404, code: "NoSuchBucket", message: "The specified bucket does not exist"}, "list", "bucket name", ""},
		{byKey, fault{to: "s3:any", status: 400, code: "InvalidBucketName", message: "The specified bucket is not valid."}, "list", "bucket name", ""},
		{byKey, fault{to: "s3:any", status: 403, code: "InvalidAccessKeyId", message: "The AWS Access Key Id you provided does not exist in our records."}, "list", "access key ID", ""},
		{byKey, fault{to: "s3:any", status: 403, code: "SignatureDoesNotMatch", message: "The request signature we calculated does not match the signature you provided."}, "list", "secret access key", ""},
		{byKey, fault{to: "s3:any", status: 403, code: "RequestTimeTooSkewed", message: "The difference between the request time and the current time is too large."}, "list", "clock", ""},
		{byKey, fault{to: "s3:any", status: 400, code: "ExpiredToken", message: "The provided token has expired."}, "list", "session token", ""},
		{byKey, fault{to: "s3:any", status: 400, code: "InvalidToken", message: "The provided token is malformed or otherwise invalid."}, "list", "session token", ""},
		{byKey, fault{to: "s3:ListBucket", status: 403, code: "AccessDenied", message: user + `s3:ListBucket on resource: "arn:aws:s3:::pictures"` + noRule + "s3:ListBucket action"}, "list", "Allow s3:ListBucket on arn:aws:s3:::pictures in", ""},
		{byKey, fault{to: "s3:ListBucket", status: 403, code: "AccessDenied", message: "Access Denied"}, "list", "s3:ListBucket on arn:aws:s3:::pictures. The server does not say why", ""},
		{byKey, fault{to: "s3:ListBucket", status: 403, code: "AccessDenied", message: user + `s3:ListBucket on resource: "arn:aws:s3:::pictures" with an explicit deny in a service control policy`}, "list", "in a service control policy", ""},
		{byKey, fault{to: "s3:ListBucket", status: 403, code: "AccessDenied", message: user + `s3:ListBucket on resource: "arn:aws:s3:::pictures" because no resource-based policy allows the s3:ListBucket action`}, "list", "in the bucket policy", ""},
		{byKey, fault{to: "s3:ListBucket", status: 403, code: "AllAccessDisabled", message: "All access to this object has been disabled"}, "list", "AWS support", ""},
		{byKey, fault{to: "s3:any", status: 200, message: "<!DOCTYPE html><html><body>console</body></html>"}, "list", "S3 API", "NotS3"},
		{byKey, fault{to: "s3:any", status: 404, message: "<html>nginx</html>"}, "list", "S3 API", "NotS3"},
		{byKey, fault{to: "s3:any", status: 503, code: "SlowDown", message: "Please reduce your request rate."}, "list", "fewer", ""},
		{byKey, fault{to: "s3:any", status: 500, code: "InternalError", message: "We encountered an internal error. Please try again."}, "list", "trouble", ""},
		{byKey, fault{to: "s3:any", status: 501, code: "NotImplemented", message: "A header you provided implies functionality that is not implemented"}, "list", "lacks a call", ""},
		{byKey, fault{to: "s3:GetObject", status: 403, code: "AccessDenied", message: user + `s3:GetObject on resource: "arn:aws:s3:::pictures/dir/k"` + noRule + "s3:GetObject action"}, "read", "Allow s3:GetObject on arn:aws:s3:::pictures/dir/* in", ""},
		{byKey, fault{to: "s3:GetObject", status: 403, code: "AccessDenied", message: "Access Denied"}, "read", "requester_pays", ""},
		{byKey, fault{to: "s3:GetObject", status: 403, code: "AccessDenied", message: user + "kms:Decrypt on resource: " + gateKey + noRule + "kms:Decrypt action"}, "read", "Allow kms:Decrypt on " + gateKey, ""},
		{byKey, fault{to: "s3:GetObject", status: 400, code: "KMS.DisabledException", message: gateKey + " is disabled."}, "read", "KMS key is disabled", ""},
		{byKey, fault{to: "s3:GetObject", status: 400, code: "KMS.NotFoundException", message: "Key does not exist"}, "read", "gone", ""},
		{byKey, fault{to: "s3:GetObject", status: 403, code: "InvalidObjectState", message: "The operation is not valid for the object's storage class"}, "read", "restore", ""},
		{byRole, fault{to: "s3:PutObject", status: 403, code: "AccessDenied", message: user + `s3:PutObject on resource: "arn:aws:s3:::pictures/dir/x"` + noRule + "s3:PutObject action"}, "write", "Allow s3:PutObject", ""},
		{byRole, fault{to: "s3:PutObject", status: 403, code: "AccessDenied", message: user + "kms:GenerateDataKey on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"}, "write", "kms:GenerateDataKey", ""},
		{byRole, fault{to: "s3:PutObject", status: 403, code: "AccessDenied", message: user + `s3:PutObject on resource: "arn:aws:s3:::pictures/dir/x" with an explicit deny in a VPC endpoint policy`}, "write", "in a VPC endpoint policy", ""},
		{byRole, fault{to: "s3:ListBucketVersions", status: 403, code: "AccessDenied", message: "Access Denied"}, "versions", "s3:ListBucketVersions on arn:aws:s3:::pictures.", ""},
		{byRole, fault{to: "s3:ListBucketVersions", status: 501, code: "NotImplemented", message: "not here"}, "versions", "lacks a call", ""},
	} {
		t.Run(fmt.Sprintf("%s/%s/%s", c.id, c.method, c.fault.code), func(t *testing.T) {
			t.Parallel()
			if c.code == "" {
				c.code = c.fault.code
			}
			wantOneFault(t, openGate(t, c.fault, c.method), c.id, c.code, c.fix)
		})
	}
}

func wantOneFault(t *testing.T, b providers.Bucket, id, code, fix string) {
	t.Helper()
	checks := checksOf(t, b, everything())
	if c := checks[id]; c.Status != tasks.CheckFail || c.Code != code || !strings.Contains(c.Fix, fix) {
		t.Errorf("%s: %+v\nwant code %s and %q in the advice", id, c, code, fix)
	}
	for _, c := range checks {
		if c.ID != id && c.Status == tasks.CheckFail {
			t.Errorf("%s failed too: %+v", c.ID, c)
		}
		if text := fmt.Sprintf("%+v", c); strings.Contains(text, "-secret") || strings.Contains(text, "role-token") {
			t.Errorf("a secret is shown: %s", text)
		}
	}
}

// Works, but will hurt: nothing fails, and one check warns.
func TestWarnings(t *testing.T) {
	t.Parallel()
	assumed := fault{to: "sts:AssumeRole without", status: 200, message: `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId>` +
		`<SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`}
	for _, c := range []struct {
		fault   fault
		id, fix string
	}{
		{assumed, "role", `"sts:ExternalId": "ws-41c9"`},
		{fault{to: "s3:AbortMultipartUpload", status: 403, code: "AccessDenied", message: "Access Denied"}, "write", "s3:AbortMultipartUpload on arn:aws:s3:::pictures/dir/*"},
		{fault{to: "s3:ListBucket of all", status: 200, message: listing("")}, "rights", `"s3:prefix":"dir/*"`},
		{fault{to: "s3:GetBucketPolicy", status: 404, code: "NoSuchBucketPolicy", message: "The bucket policy does not exist"}, "rights", "Grant only"},
		{fault{to: "s3:ListAllMyBuckets", status: 200, message: "<ListAllMyBucketsResult/>"}, "rights", gateKey},
	} {
		checks := checksOf(t, openGate(t, c.fault, byRole), everything())
		if got := checks[c.id]; got.Status != tasks.CheckWarn || !strings.Contains(got.Fix, c.fix) {
			t.Errorf("%s: %+v, want %q in the advice", c.id, got, c.fix)
		}
		for _, got := range checks {
			if got.ID != c.id && (got.Status == tasks.CheckWarn || got.Status == tasks.CheckFail) {
				t.Errorf("%s: %+v", c.id, got)
			}
		}
	}
}

// A worker that is set to an STS also meets buckets of servers that this STS
// does not know. That is not their fault.
func TestKeysOfAnotherServer(t *testing.T) {
	t.Parallel()
	unknown := fault{to: "sts:GetCallerIdentity", status: 403, code: "InvalidClientTokenId", message: "The security token included in the request is invalid."}
	s, secrets := storage(t, "http://minio.example", "pictures", providertest.Keys{AccessKeyID: "minio", SecretAccessKey: "top-secret"})
	s.Prefix = "dir/"
	o := &s3.Opener{STSEndpoint: "http://sts.example/sts", Client: &http.Client{Transport: aws{gate(unknown)}}}
	for id, c := range checksOf(t, openWith(t, o, s, secrets), tasks.Need{Read: true}) {
		if want := map[bool]tasks.CheckStatus{true: tasks.CheckUnknown, false: tasks.CheckOK}[id == "credentials"]; c.Status != want {
			t.Errorf("%+v, want %s", c, want)
		}
	}
}
