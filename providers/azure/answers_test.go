package azure_test

import (
	"net/http"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure"
	"github.com/stevedore-jobs/stevedore/providers/providertest/answers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// openAnswered opens a container whose requests are made once.
func openAnswered(t testing.TB, client *http.Client) providers.Bucket {
	t.Helper()
	s := tasks.Storage{
		Provider: "azure", Bucket: "b", Account: "account", Endpoint: "http://127.0.0.1:1/account",
		Auth: tasks.Auth{Method: tasks.AuthAnonymous},
	}
	b, err := (&azure.Opener{Client: client, Attempts: 1}).Open(t.Context(), s, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const answeredHeader = "\r\nX-Ms-Request-Id: R\r\nETag: \"e\"\r\nLast-Modified: Fri, 02 Jan 2026 03:04:05 GMT"

func FuzzListing(f *testing.F) {
	answers.FuzzListing(f, openAnswered,
		[2]string{"200 OK" + answeredHeader, `<?xml version="1.0"?><EnumerationResults><Blobs><Blob><Name>a/1.jpg</Name>` +
			`<Properties><Etag>e</Etag><Content-Length>5</Content-Length>` +
			`<Last-Modified>Fri, 02 Jan 2026 03:04:05 GMT</Last-Modified></Properties></Blob></Blobs>` +
			`<NextMarker>m</NextMarker></EnumerationResults>`},
		[2]string{"200 OK" + answeredHeader, `<EnumerationResults><Blobs><Blob><Name Encoded="true">a%2F2</Name>` +
			`<Properties><Content-Length>-1</Content-Length></Properties></Blob><Blob/></Blobs></EnumerationResults>`},
		[2]string{"403 Forbidden" + answeredHeader, `<Error><Code>AuthorizationFailure</Code></Error>`},
	)
}

func FuzzError(f *testing.F) {
	answers.FuzzError(f, openAnswered,
		[2]string{"201 Created" + answeredHeader, ""},
		[2]string{"201 Created\r\nX-Ms-Request-Id: R", ""},
		[2]string{"403 Forbidden" + answeredHeader + "\r\nX-Ms-Error-Code: AuthenticationFailed",
			`<?xml version="1.0"?><Error><Code>AuthenticationFailed</Code><Message>m</Message>` +
				`<AuthenticationErrorDetail>Signature did not match.</AuthenticationErrorDetail></Error>`},
		[2]string{"503 Server Busy" + answeredHeader + "\r\nRetry-After: 1", `<Error><Code>ServerBusy</Code></Error>`},
	)
}

func FuzzHead(f *testing.F) {
	answers.FuzzHead(f, openAnswered,
		[2]string{"200 OK" + answeredHeader + "\r\nContent-Length: 5", "hello"},
		[2]string{"206 Partial Content" + answeredHeader + "\r\nContent-Length: 3\r\nContent-Range: bytes 1-3/5", "ell"},
		[2]string{"200 OK" + answeredHeader + "\r\nContent-Length: 0\r\nX-Ms-Meta-Hdi_isfolder: true", ""},
		[2]string{"404 The specified blob does not exist." + answeredHeader + "\r\nX-Ms-Error-Code: BlobNotFound",
			`<Error><Code>BlobNotFound</Code></Error>`},
	)
}
