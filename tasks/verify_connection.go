package tasks

import (
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
)

// VerifyConnection asks whether a bucket is set up correctly for its
// use. It stores nothing in the bucket.
type VerifyConnection struct {
	Terms

	Storage Storage `json:"storage"` // a payload may also call it source
	Need    Need    `json:"need,omitzero"`
}

// Kind implements Job.
func (VerifyConnection) Kind() string { return "verify-connection" }

// aliases lets people write source, as for all other kinds.
func (VerifyConnection) aliases() map[string]string {
	return map[string]string{"source": "storage"}
}

// Validate implements Job.
func (j VerifyConnection) Validate() error {
	var errs fields.Errors
	j.Storage.Check(errs.In("storage"))
	need := errs.In("need")
	if j.Need.Thumbnails != nil {
		j.Need.Thumbnails.Check(need.In("thumbnails"))
	}
	if j.Need.CORS != nil {
		j.Need.CORS.check(need.In("cors"))
	}
	j.CheckTerms(&errs)
	return errs.Err(j.Kind())
}

// VerifyConnectionResult is the diagnosis. The job succeeds when it can
// make one, even if the diagnosis is bad.
type VerifyConnectionResult struct {
	OK      bool    `json:"ok"`      // no check failed
	Verdict string  `json:"verdict"` // one line
	Checks  []Check `json:"checks"`  // in the order in which they were made
}

// Kind implements Result.
func (VerifyConnectionResult) Kind() string { return VerifyConnection{}.Kind() }

// Summary implements Result.
func (r VerifyConnectionResult) Summary() string {
	found := "found no fault"
	if n := r.Faults(); n > 0 {
		found = "found " + count(int64(n), "fault")
	}
	return fmt.Sprintf("%s in %s: %s", found, count(int64(len(r.Checks)), "check"), r.Verdict)
}

// Faults returns how many checks failed.
func (r VerifyConnectionResult) Faults() (n int) {
	for _, c := range r.Checks {
		if c.Status == CheckFail {
			n++
		}
	}
	return n
}
