package tasks

import "github.com/stevedore-jobs/stevedore/tasks/fields"

// Check is one line of a verification's answer.
type Check struct {
	ID       string      `json:"id"` // one of the CheckID constants
	Status   CheckStatus `json:"status"`
	Code     string      `json:"code,omitempty"`     // the cloud's own code, for example AccessDenied
	Evidence string      `json:"evidence,omitempty"` // what was seen
	Fix      string      `json:"fix,omitempty"`      // what to do about it
}

// CheckStatus says how a check ended.
type CheckStatus string

// The statuses of a check.
const (
	CheckOK      CheckStatus = "ok"
	CheckWarn    CheckStatus = "warn"    // it works, but will cause trouble later
	CheckFail    CheckStatus = "fail"    // it does not work
	CheckUnknown CheckStatus = "unknown" // cannot be found out without storing an object
	CheckSkipped CheckStatus = "skipped" // an earlier check failed, or nothing is to be checked
)

// The IDs of the checks, in the order in which they are made. A check
// of the second storage of a verification has CheckIDThumbnails before
// its ID.
const (
	CheckIDSettings    = "settings"    // the payload is complete and its secrets were found
	CheckIDResolve     = "resolve"     // the endpoint's name has an address
	CheckIDEgress      = "egress"      // the operator allows that address
	CheckIDConnect     = "connect"     // the endpoint accepts connections
	CheckIDTLS         = "tls"         // its certificate is valid
	CheckIDClock       = "clock"       // its clock and the worker's agree
	CheckIDSignIn      = "sign-in"     // the service that issues credentials can be reached
	CheckIDCredentials = "credentials" // the cloud accepts the credentials
	CheckIDRole        = "role"        // the role can be assumed
	CheckIDProject     = "project"     // the project that pays exists
	CheckIDRegion      = "region"      // the bucket is in the region that was given
	CheckIDList        = "list"        // objects can be listed
	CheckIDRead        = "read"        // objects can be read
	CheckIDWrite       = "write"       // objects can be stored
	CheckIDVersions    = "versions"    // old versions can be listed
	CheckIDKMS         = "kms"         // the customer's encryption key can be used
	CheckIDRights      = "rights"      // the credentials allow no more than is needed
	CheckIDProbe       = "probe"       // the provider can be probed at all
	CheckIDManifests   = "manifests"   // the manifests that the storage names can be read
	CheckIDCORS        = "cors"        // a browser page may load objects
	CheckIDThumbnails  = "thumbnails." // the prefix of the second storage's checks
)

// Need says what a storage is to be used for. Listing is always
// checked.
type Need struct {
	Read     bool `json:"read,omitempty"`     // read objects
	Write    bool `json:"write,omitempty"`    // store objects under the prefix
	Versions bool `json:"versions,omitempty"` // list old versions of objects
	KMS      bool `json:"kms,omitempty"`      // objects are encrypted with a key of the customer
	// CORS asks whether a browser page may load objects by itself.
	CORS *CORS `json:"cors,omitempty"`
	// Thumbnails is a second storage, for thumbnails: it is checked for
	// listing, reading and writing.
	Thumbnails *Storage `json:"thumbnails,omitempty"`
}

// CORS describes the requests that a browser page will send to a
// bucket.
type CORS struct {
	Origin  string   `json:"origin"`            // for example https://app.example
	Methods []string `json:"methods,omitempty"` // GET and HEAD when empty
	Headers []string `json:"headers,omitempty"` // request headers; authorization when empty
}

func (c CORS) check(errs *fields.Errors) {
	if errs.Need("origin", c.Origin) {
		errs.Origin("origin", c.Origin)
	}
}
