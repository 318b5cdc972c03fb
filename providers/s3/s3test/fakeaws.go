package s3test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// What FakeAWS knows.
const (
	Role       = "arn:aws:iam::999988887777:role/Pictures"
	ExternalID = "ws-41c9" // required by Role
	KMSKey     = "arn:aws:kms:eu-west-1:999988887777:key/0a1b"

	// SessionToken belongs to every session of Role.
	SessionToken = "role-token"
)

// Session is STS's answer to AssumeRole.
const Session = `<AssumeRoleResponse><AssumeRoleResult>` +
	`<AssumedRoleUser><Arn>arn:aws:sts::999988887777:assumed-role/Pictures/s</Arn>` +
	`<AssumedRoleId>AROA:s</AssumedRoleId></AssumedRoleUser>` +
	`<Credentials><AccessKeyId>ASIA</AccessKeyId>` +
	`<SecretAccessKey>role-secret</SecretAccessKey>` +
	`<SessionToken>` + SessionToken + `</SessionToken>` +
	`<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>` +
	`</AssumeRoleResult></AssumeRoleResponse>`

// Fault is one wrong answer of FakeAWS.
type Fault struct {
	To      string // the call, as callOf names it; "s3:any" means all calls to S3
	Status  int
	Code    string // of the error document; empty means that the body is Message alone
	Message string
}

// FakeAWS answers as an AWS account that grants all that is needed and
// no more. Its bucket "pictures" holds one object. The fault, if any,
// replaces the answer to one call.
func FakeAWS(f Fault) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := callOf(r)
		isS3 := strings.HasPrefix(call, "s3:")
		if f.To != "" && f.To == call || f.To == "s3:any" && isS3 {
			f.write(w, call)
			return
		}
		if isS3 {
			answerS3(w, r, call)
		} else {
			answerSTS(w, call)
		}
	})
}

// OpenFakeAWS opens the prefix "dir/" of the bucket of FakeAWS, with
// the method access-key or assume-role.
func OpenFakeAWS(t testing.TB, f Fault, method string) providers.Bucket {
	t.Helper()
	s, secrets := Storage(t, "", "pictures", Keys())
	s.Prefix, s.Region, s.Addressing = "dir/", "eu-west-1", "path"
	if method == tasks.AuthAssumeRole {
		s.Auth = RoleAuth()
	}
	return OpenVia(t, FakeAWS(f), s, secrets)
}

// RoleAuth returns how a storage assumes the role of FakeAWS.
func RoleAuth() tasks.Auth {
	return tasks.Auth{Method: tasks.AuthAssumeRole, RoleARN: Role, ExternalID: ExternalID}
}

// ServeFakeAWS starts a server of FakeAWS without a fault, and returns
// its URL. Its STS is at the path /sts.
func ServeFakeAWS(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(FakeAWS(Fault{}))
	t.Cleanup(server.Close)
	return server.URL
}

// callOf names a request after the action that it needs.
func callOf(r *http.Request) string {
	if r.URL.Host == "sts.eu-west-1.amazonaws.com" || strings.HasPrefix(r.URL.Path, "/sts") {
		action := r.FormValue("Action")
		if action == "AssumeRole" && r.FormValue("ExternalId") != ExternalID {
			return "sts:AssumeRole without external ID"
		}
		return "sts:" + action
	}

	q := r.URL.Query()
	switch {
	case r.URL.Path == "/":
		return "s3:ListAllMyBuckets"
	case q.Has("versions"):
		return "s3:ListBucketVersions"
	case q.Has("versioning"):
		return "s3:GetBucketVersioning"
	case q.Has("policy"), q.Has("cors"):
		return "s3:GetBucketPolicy"
	case q.Has("list-type") && q.Get("prefix") == "":
		return "s3:ListBucket without prefix"
	case q.Has("list-type"):
		return "s3:ListBucket"
	case r.Method == http.MethodPut:
		return "s3:PutObject"
	case r.Method == http.MethodDelete:
		return "s3:AbortMultipartUpload"
	}
	return "s3:GetObject"
}

func (f Fault) write(w http.ResponseWriter, call string) {
	switch {
	case f.Code == "":
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, f.Message)
	case strings.HasPrefix(call, "sts:"):
		writeSTSError(w, f.Status, f.Code, f.Message)
	default:
		WriteError(w, f.Status, f.Code, f.Message)
	}
}

func writeSTSError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">`+
		`<Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error>`+
		`<RequestId>01234567-89ab</RequestId></ErrorResponse>`, code, message)
}

func answerSTS(w http.ResponseWriter, call string) {
	switch call {
	case "sts:GetCallerIdentity":
		_, _ = io.WriteString(w, `<GetCallerIdentityResponse><GetCallerIdentityResult>`+
			`<Arn>arn:aws:iam::111122223333:user/worker</Arn><UserId>AIDA</UserId>`+
			`<Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	case "sts:AssumeRole":
		_, _ = io.WriteString(w, Session)
	default:
		writeSTSError(w, http.StatusForbidden, "AccessDenied",
			"User: arn:aws:iam::111122223333:user/worker is not authorized to perform: "+
				"sts:AssumeRole on resource: "+Role)
	}
}

func answerS3(w http.ResponseWriter, r *http.Request, call string) {
	switch call {
	case "s3:ListBucket":
		_, _ = io.WriteString(w, Listing(Entry("dir/k")))
	case "s3:ListBucketVersions":
		_, _ = io.WriteString(w, `<ListVersionsResult><Name>pictures</Name></ListVersionsResult>`)
	case "s3:PutObject":
		WriteError(w, http.StatusBadRequest, "BadDigest",
			"The Content-MD5 you specified did not match what we received.")
	case "s3:AbortMultipartUpload":
		WriteError(w, http.StatusNotFound, "NoSuchUpload", "The specified upload does not exist. "+
			"The upload ID may be invalid, or the upload may have been aborted or completed.")
	case "s3:GetObject":
		if strings.Contains(r.URL.Path, ".stevedore-probe-") {
			// So AWS answers to credentials that may not list.
			WriteError(w, http.StatusForbidden, "AccessDenied", "Access Denied")
			return
		}
		w.Header().Set("X-Amz-Server-Side-Encryption", "aws:kms")
		w.Header().Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", KMSKey)
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.WriteString(w, "x")
	default:
		WriteError(w, http.StatusForbidden, "AccessDenied", "Access Denied")
	}
}
