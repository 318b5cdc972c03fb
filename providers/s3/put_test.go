package s3_test

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
)

// A panic in the goroutine that sends a part does not end the process.
// The upload is aborted.
func TestPut_PanicsInTheCallersGoroutine(t *testing.T) {
	t.Parallel()
	var aborts atomic.Int64
	client := providertest.PanicAt(
		func(r *http.Request) bool { return r.URL.Query().Has("partNumber") },
		func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				aborts.Add(1)
				w.WriteHeader(http.StatusNoContent)
				return
			}
			_, _ = io.WriteString(w, `<InitiateMultipartUploadResult><Bucket>b</Bucket>`+
				`<Key>k</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>`)
		})
	st, secrets := s3test.Storage(t, "https://s3.example.com", "b", s3test.Keys())
	providertest.RunPanic(t, s3test.Open(t, &s3.Opener{Client: client}, st, secrets), 20<<20)
	if aborts.Load() != 1 {
		t.Errorf("%d aborts, want one", aborts.Load())
	}
}
