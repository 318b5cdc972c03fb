package tasks

import (
	"fmt"
	"net/url"
)

// VerifyConnection asks whether a bucket is set up right for what it shall be
// used for. It stores nothing in the bucket.
type VerifyConnection struct {
	Terms

	Storage Storage `json:"storage"`
	Need    Need    `json:"need,omitzero"`
}

// Need is what a storage shall be good for. Listing is always checked.
type Need struct {
	Read     bool `json:"read,omitempty"`     // read objects
	Write    bool `json:"write,omitempty"`    // store objects under the prefix
	Versions bool `json:"versions,omitempty"` // list old versions of objects
	KMS      bool `json:"kms,omitempty"`      // objects are encrypted with a key of the customer's
	// CORS asks whether a browser page may load objects by itself.
	CORS *CORS `json:"cors,omitempty"`
	// Thumbnails is a second storage, for thumbnails: it is checked for
	// listing, reading and writing.
	Thumbnails *Storage `json:"thumbnails,omitempty"`
}

// CORS is what a browser page will ask a bucket for.
type CORS struct {
	Origin  string   `json:"origin"`            // for example https://app.example
	Methods []string `json:"methods,omitempty"` // GET and HEAD when empty
	Headers []string `json:"headers,omitempty"` // request headers; authorization when empty
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

func (c CORS) check(f faults) {
	if !f.need("origin", c.Origin) {
		return
	}
	u, err := url.Parse(c.Origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Path+u.RawQuery+u.Fragment != "" {
		f.add("origin", "must be a scheme and a host, as browsers send it: https://app.example")
	}
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
	ID       string      `json:"id"` // settings, resolve, egress, connect, tls, clock, sign-in, credentials, role, region, list, read, ...
	Status   CheckStatus `json:"status"`
	Code     string      `json:"code,omitempty"`     // the cloud's own code, for example AccessDenied
	Evidence string      `json:"evidence,omitempty"` // what was seen
	Fix      string      `json:"fix,omitempty"`      // what to do about it
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
