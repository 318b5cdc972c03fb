package tasks

import "fmt"

// VerifyConnection asks whether a bucket is set up right for what it shall be
// used for. It stores nothing in the bucket.
type VerifyConnection struct {
	Terms

	Storage Storage `json:"storage"`
	Need    Need    `json:"need,omitzero"`
}

// Kind implements Job.
func (VerifyConnection) Kind() string { return "verify-connection" }

// Validate implements Job.
func (j VerifyConnection) Validate() error {
	f := newFaults()
	j.Storage.check(f.in("storage"))
	need := f.in("need")
	if j.Need.Thumbnails != nil {
		j.Need.Thumbnails.check(need.in("thumbnails"))
	}
	if j.Need.CORS != nil {
		j.Need.CORS.check(need.in("cors"))
	}
	j.Terms.check(f)
	return f.err(j.Kind())
}

func (j VerifyConnection) mapSecrets(m *secretMap) Job {
	m.storage(&j.Storage)
	m.optional(&j.Need.Thumbnails)
	return j
}

// VerifyConnectionResult is the diagnosis. The job succeeds when it could
// make one, even if the diagnosis is bad.
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
