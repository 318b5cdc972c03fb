package providertest

import (
	"net/http"
	"testing"
	"time"
)

// S3Fault is what goes wrong at the S3 server. Where it happens is said by a
// bucket, an access key or both, so that no other test meets it.
type S3Fault struct {
	// Name is KMSDenied, KMSDisabled, Archived, SlowDown, InternalError,
	// Redirect (of requests that are signed for another region than the
	// server's), OtherRegion (see Region), HTML (a web page instead of S3),
	// SlowBody, CutBody or LostAnswer (the request is carried out, and nobody
	// hears of it).
	Name      string        `json:"name"`
	Bucket    string        `json:"bucket,omitempty"`
	AccessKey string        `json:"access_key,omitempty"` // whose requests; empty means everybody's
	Op        string        `json:"op,omitempty"`         // list, versions, get, stat, put, delete, create, part, complete or abort; empty means any
	Skip      int           `json:"skip,omitempty"`       // requests that go well first
	Times     int           `json:"times,omitempty"`      // how often it happens; 0 means always
	Bytes     int64         `json:"bytes,omitempty"`      // what comes of a body before it is slow or cut
	Pause     time.Duration `json:"pause,omitempty"`      // of SlowBody, before each further KiB
	Region    string        `json:"region,omitempty"`     // of OtherRegion: where the server says that the bucket is
}

// Fault makes something go wrong until the test ends. The function it returns
// tells how often it has.
func (s S3Server) Fault(t testing.TB, f S3Fault) (happened func() int) {
	t.Helper()
	var made struct{ ID string }
	s.ask(t, http.MethodPost, "/s3/faults", text(t, f), &made)
	at := "/s3/faults/" + made.ID
	t.Cleanup(func() { s.ask(t, http.MethodDelete, at, "", nil) })
	return func() int {
		t.Helper()
		var count struct{ Happened int }
		s.ask(t, http.MethodGet, at, "", &count)
		return count.Happened
	}
}
