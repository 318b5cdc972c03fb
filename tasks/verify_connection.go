package tasks

import "fmt"

// VerifyConnection asks whether a bucket is set up right for what it shall be used for. It stores nothing in the bucket.
type VerifyConnection struct {
	Storage Storage `json:"storage"`
	Need    Need    `json:"need,omitzero"`
}

// Need is what a storage shall be good for. Listing is always checked.
type Need struct {
	Read  bool `json:"read,omitempty"`  // read objects
	Write bool `json:"write,omitempty"` // store objects under the prefix
}

// Kind implements Job.
func (VerifyConnection) Kind() string { return "verify-connection" }

// Validate implements Job.
func (j VerifyConnection) Validate() error {
	f := newFaults()
	j.Storage.check(f.in("storage"))
	return f.err(j.Kind())
}

// CheckStatus is how one check ended.
type CheckStatus string

// The outcomes of a check.
const (
	CheckOK      CheckStatus = "ok"
	CheckWarn    CheckStatus = "warn"    // works, but will hurt
	CheckFail    CheckStatus = "fail"    // does not work
	CheckUnknown CheckStatus = "unknown" // could not be found out without storing something
	CheckSkipped CheckStatus = "skipped" // pointless after an earlier failure, or not asked for
)

// Check is one step of a verification.
type Check struct {
	ID       string      `json:"id"` // settings, list, read, write, manifests
	Status   CheckStatus `json:"status"`
	Code     string      `json:"code,omitempty"`     // the cloud's own code, for example AccessDenied
	Evidence string      `json:"evidence,omitempty"` // what was seen
	Fix      string      `json:"fix,omitempty"`      // what to do about it
}

// VerifyConnectionResult is the diagnosis. The job succeeds when it could make one, even if the diagnosis is bad.
type VerifyConnectionResult struct {
	OK      bool    `json:"ok"`      // no check failed
	Verdict string  `json:"verdict"` // one line
	Checks  []Check `json:"checks"`  // in the order they were made
}

// Kind implements Result.
func (VerifyConnectionResult) Kind() string { return VerifyConnection{}.Kind() }

// Summary implements Result.
func (r VerifyConnectionResult) Summary() string {
	return fmt.Sprintf("%s (%d checks)", r.Verdict, len(r.Checks))
}
