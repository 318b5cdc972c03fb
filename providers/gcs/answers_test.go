package gcs_test

import (
	"net/http"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/gcs"
	"github.com/stevedore-jobs/stevedore/providers/providertest/answers"
)

// openAnswered opens a bucket whose requests are made once.
func openAnswered(t testing.TB, client *http.Client) providers.Bucket {
	t.Helper()
	o := &gcs.Opener{Client: client, Attempts: 1}
	b, err := o.Open(t.Context(), anonymous("http://127.0.0.1:1", "b"), providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const answeredObject = `{"kind":"storage#object","name":"a/1.jpg","size":"5","generation":"1767323045000000",` +
	`"updated":"2026-01-02T03:04:05.000Z"}`

func FuzzListing(f *testing.F) {
	answers.FuzzListing(f, openAnswered,
		[2]string{"200 OK", `{"kind":"storage#objects","nextPageToken":"t","items":[` + answeredObject + `]}`},
		[2]string{"200 OK", `{"kind":"storage#objects","items":[null,{},{"name":"a/2","size":"-1"}]}`},
		[2]string{"403 Forbidden", inJSON(403, "forbidden", "m")},
	)
}

func FuzzError(f *testing.F) {
	answers.FuzzError(f, openAnswered,
		[2]string{"200 OK", answeredObject},
		[2]string{"200 OK", "null"},
		[2]string{"403 Forbidden\r\nX-Guploader-Uploadid: R", inJSON(403, "forbidden", "a@b.iam.gserviceaccount.com "+
			"does not have storage.objects.create access to the Google Cloud Storage object.")},
		[2]string{"400 Bad Request", inJSON(400, "required", "Bucket is a requester pays bucket but no user project provided.")},
		[2]string{"503 Service Unavailable\r\nRetry-After: 1", inJSON(503, "backendError", "Backend Error")},
	)
}

func FuzzHead(f *testing.F) {
	answers.FuzzHead(f, openAnswered,
		[2]string{"200 OK", answeredObject},
		[2]string{"200 OK\r\nContent-Length: 5\r\nX-Goog-Generation: 1767323045000000", "hello"},
		[2]string{"206 Partial Content\r\nContent-Length: 3\r\nContent-Range: bytes 1-3/5\r\nX-Goog-Generation: 17", "ell"},
		[2]string{"404 Not Found", inJSON(404, "notFound", "No such object: b/k")},
	)
}
