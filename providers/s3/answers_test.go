package s3_test

import (
	"net/http"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest/answers"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// openAnswered opens a bucket whose requests are made once.
func openAnswered(t testing.TB, client *http.Client) providers.Bucket {
	t.Helper()
	s := tasks.Storage{
		Provider: "s3", Bucket: "b", Endpoint: "http://127.0.0.1:1",
		Auth: tasks.Auth{Method: tasks.AuthAnonymous},
	}
	b, err := (&s3.Opener{Client: client, Attempts: 1}).Open(t.Context(), s, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func FuzzListing(f *testing.F) {
	const entry = `<Contents><Key>a%2F1.jpg</Key><Size>5</Size><ETag>"e"</ETag>` +
		`<LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents>`
	answers.FuzzListing(f, openAnswered,
		[2]string{"200 OK", `<ListBucketResult><Name>b</Name><EncodingType>url</EncodingType>` + entry +
			`<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>`},
		[2]string{"200 OK", `<ListBucketResult><Name>b</Name><Contents/><Contents><Key>a/2</Key>` +
			`<Size>-1</Size></Contents></ListBucketResult>`},
		[2]string{"403 Forbidden", `<Error><Code>AccessDenied</Code><Message>m</Message></Error>`},
	)
}

func FuzzError(f *testing.F) {
	answers.FuzzError(f, openAnswered,
		[2]string{"200 OK\r\nETag: \"e\"", ""},
		[2]string{"200 OK\r\nETag: \"", ""},
		[2]string{"403 Forbidden\r\nX-Amz-Request-Id: R\r\nX-Amz-Bucket-Region: eu-west-1",
			`<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/a is not ` +
				`authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/k"</Message></Error>`},
		[2]string{"301 Moved Permanently", `<Error><Code>PermanentRedirect</Code><Endpoint>b.s3.eu-west-1.` +
			`amazonaws.com</Endpoint></Error>`},
		[2]string{"503 Slow Down\r\nRetry-After: 1", `<Error><Code>SlowDown</Code></Error>`},
	)
}

func FuzzHead(f *testing.F) {
	answers.FuzzHead(f, openAnswered,
		[2]string{"200 OK\r\nContent-Length: 5\r\nETag: \"e\"\r\nLast-Modified: Fri, 02 Jan 2026 03:04:05 GMT", "hello"},
		[2]string{"206 Partial Content\r\nContent-Length: 3\r\nContent-Range: bytes 1-3/5\r\nETag: \"e\"", "ell"},
		[2]string{"416 Range Not Satisfiable", `<Error><Code>InvalidRange</Code></Error>`},
		[2]string{"404 Not Found\r\nContent-Type: application/xml", `<Error><Code>NoSuchKey</Code></Error>`},
	)
}
