package s3_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const (
	gateRole     = "arn:aws:iam::999988887777:role/Pictures"
	gateExternal = "ws-41c9"
	gateKey      = "arn:aws:kms:eu-west-1:999988887777:key/0a1b"
)

// fault is one answer that is not as it should be.
type fault struct {
	to      string // what it answers: a name that call gives
	status  int
	code    string // of S3's or STS's error document; empty to answer with message alone
	message string
	header  string // "Name: value"
}

// gate is AWS with a bucket "pictures" that holds one object, of an account
// that grants all that is needed and no more, and with one fault.
func gate(f fault) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := callOf(r)
		if f.to != "" && (name == f.to || f.to == "s3:any" && strings.HasPrefix(name, "s3:")) {
			f.answer(w, name)
			return
		}
		healthy(w, r, name)
	})
}

// gateServer is a gate that can be reached at an address.
func gateServer(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(gate(fault{}))
	t.Cleanup(server.Close)
	return server.URL
}

// callOf names a request after the action that it needs.
func callOf(r *http.Request) string {
	q := r.URL.Query()
	switch {
	case r.URL.Host == "sts.eu-west-1.amazonaws.com", strings.HasPrefix(r.URL.Path, "/sts"):
		if r.FormValue("Action") == "AssumeRole" && r.FormValue("ExternalId") != gateExternal {
			return "sts:AssumeRole without"
		}
		return "sts:" + r.FormValue("Action")
	case r.URL.Path == "/":
		return "s3:ListAllMyBuckets"
	case q.Has("versions"):
		return "s3:ListBucketVersions"
	case q.Has("policy"), q.Has("cors"):
		return "s3:GetBucketPolicy"
	case q.Has("list-type") && q.Get("prefix") == "":
		return "s3:ListBucket of all"
	case q.Has("list-type"):
		return "s3:ListBucket"
	case r.Method == http.MethodPut:
		return "s3:PutObject"
	case r.Method == http.MethodDelete:
		return "s3:AbortMultipartUpload"
	}
	return "s3:GetObject"
}

func (f fault) answer(w http.ResponseWriter, name string) {
	if header, value, ok := strings.Cut(f.header, ": "); ok {
		w.Header().Set(header, value)
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(f.status)
	switch {
	case f.code == "":
		_, _ = io.WriteString(w, f.message)
	case strings.HasPrefix(name, "sts:"):
		_, _ = fmt.Fprintf(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code>`+
			`<Message>%s</Message></Error><RequestId>01234567-89ab</RequestId></ErrorResponse>`, f.code, f.message)
	default:
		_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+
			`<Error><Code>%s</Code><Message>%s</Message><RequestId>4442587FB7D0A2F9</RequestId><HostId>aGVsbG8=</HostId></Error>`, f.code, f.message)
	}
}

func healthy(w http.ResponseWriter, r *http.Request, name string) {
	refuse := func(status int, code, message string) {
		fault{status: status, code: code, message: message}.answer(w, name)
	}
	switch name {
	case "sts:GetCallerIdentity":
		_, _ = io.WriteString(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/worker</Arn>`+
			`<UserId>AIDA</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	case "sts:AssumeRole":
		_, _ = io.WriteString(w, `<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::999988887777:assumed-role/Pictures/s</Arn>`+
			`<AssumedRoleId>AROA:s</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey>`+
			`<SessionToken>role-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`)
	case "sts:AssumeRole without":
		refuse(403, "AccessDenied", "User: arn:aws:iam::111122223333:user/worker is not authorized to perform: sts:AssumeRole on resource: "+gateRole)
	case "s3:ListBucket":
		_, _ = io.WriteString(w, listing(`<Contents><Key>dir/k</Key><Size>1</Size></Contents>`))
	case "s3:ListBucketVersions":
		_, _ = io.WriteString(w, `<ListVersionsResult><Name>pictures</Name></ListVersionsResult>`)
	case "s3:PutObject":
		refuse(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
	case "s3:AbortMultipartUpload":
		refuse(404, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
	case "s3:GetObject":
		if strings.Contains(r.URL.Path, ".stevedore-probe-") {
			refuse(403, "AccessDenied", "Access Denied") // as AWS says to whom may not list
			return
		}
		w.Header().Set("X-Amz-Server-Side-Encryption", "aws:kms")
		w.Header().Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", gateKey)
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.WriteString(w, "x")
	default:
		refuse(403, "AccessDenied", "Access Denied")
	}
}

// openGate opens the gate's bucket by access key or by role.
func openGate(t *testing.T, f fault, method string) providers.Bucket {
	t.Helper()
	s, secrets := storage(t, "", "pictures", providertest.Keys{AccessKeyID: "AKIA", SecretAccessKey: "top-secret"})
	s.Prefix, s.Region, s.Addressing = "dir/", "eu-west-1", "path"
	if method == tasks.AuthAssumeRole {
		s.Auth = tasks.Auth{Method: tasks.AuthAssumeRole, RoleARN: gateRole, ExternalID: gateExternal}
	}
	return openAt(t, gate(f), s, secrets)
}
