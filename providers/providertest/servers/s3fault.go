package servers

import (
	"net/http"
	"testing"
	"time"
)

// S3Fault is a fault of the S3 server. A bucket, an access key or
// both limit it to one test's requests.
type S3Fault struct {
	// Name is one of
	//   - KMSDenied, KMSDisabled, Archived, SlowDown, InternalError
	//   - Redirect: of requests that are signed for another region
	//   - OtherRegion: see Region
	//   - HTML: a web page instead of an S3 answer
	//   - SlowBody, CutBody: of reads
	//   - LostAnswer: the request is carried out, but not answered
	Name      string `json:"name"`
	Bucket    string `json:"bucket,omitempty"`
	AccessKey string `json:"access_key,omitempty"` // empty means every user's requests
	// Op is list, versions, get, stat, put, delete, create, part,
	// complete or abort. Empty means any.
	Op    string `json:"op,omitempty"`
	Skip  int    `json:"skip,omitempty"`  // requests that work first
	Times int    `json:"times,omitempty"` // how often the fault happens; 0 means always
	// Bytes of a body are sent before it becomes slow or is cut.
	Bytes int64 `json:"bytes,omitempty"`
	// Pause is the pause of SlowBody before each further KiB.
	Pause time.Duration `json:"pause,omitempty"`
	// Region is where the server says that the bucket is
	// (OtherRegion).
	Region string `json:"region,omitempty"`
}

// Fault adds a fault until the test ends. The function that it
// returns tells how often the fault has happened.
func (s S3Server) Fault(t testing.TB, f S3Fault) (happened func() int) {
	t.Helper()
	var created struct{ ID string }
	s.control.send(t, http.MethodPost, "/s3/faults", f, &created)
	path := "/s3/faults/" + created.ID
	t.Cleanup(func() { s.control.send(t, http.MethodDelete, path, nil, nil) })
	return func() int {
		t.Helper()
		var count struct{ Happened int }
		s.control.send(t, http.MethodGet, path, nil, &count)
		return count.Happened
	}
}
