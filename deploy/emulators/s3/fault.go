package s3

import (
	"fmt"
	"slices"
	"time"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/gateway"
)

// fault is a failure that a test asks for, and the requests it
// happens to.
type fault struct {
	Name string `json:"name"` // one of faultNames

	// Which requests: an empty field matches any.
	Bucket    string `json:"bucket"`
	AccessKey string `json:"access_key"` // that signed the request
	Op        string `json:"op"`         // as in call

	Skip  int `json:"skip"`  // matching requests that succeed first
	Times int `json:"times"` // how often the fault happens; 0 means always

	Bytes  int64         `json:"bytes"`  // SlowBody, CutBody: intact bytes before the fault
	Pause  time.Duration `json:"pause"`  // SlowBody: wait before each further piece
	Region string        `json:"region"` // OtherRegion: where the bucket is

	id       int
	matched  int // requests that matched
	happened int // how often the fault happened
}

// faultNames lists the faults. Those that answer with an error code
// use the words of AWS's API reference and of reports from users.
func faultNames() []string {
	return []string{
		"KMSDenied", "KMSDisabled", "Archived", "SlowDown", "InternalError", "Redirect",
		"OtherRegion", "HTML", "SlowBody", "CutBody", "LostAnswer",
	}
}

// check returns an error for a fault that cannot be added. A fault
// that names neither a bucket nor a user would happen to the requests
// of all tests.
func (f *fault) check() error {
	switch {
	case !slices.Contains(faultNames(), f.Name):
		return fmt.Errorf("no fault %q; the faults are %v", f.Name, faultNames())
	case f.Bucket == "" && f.AccessKey == "":
		return fmt.Errorf("fault %s names neither a bucket nor an access key", f.Name)
	}
	return nil
}

// matches reports whether the fault is meant for this request.
func (f *fault) matches(c call) bool {
	if f.Name == "Redirect" && c.region == gateway.Region { // the request is in the right region
		return false
	}
	return (f.Bucket == "" || f.Bucket == c.bucket) &&
		(f.AccessKey == "" || f.AccessKey == c.accessKey) &&
		(f.Op == "" || f.Op == c.op)
}

// count counts a matching request, and reports whether the fault
// happens to it.
func (f *fault) count() bool {
	f.matched++
	if f.matched <= f.Skip || f.Times > 0 && f.happened >= f.Times {
		return false
	}
	f.happened++
	return true
}
