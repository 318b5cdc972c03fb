// Package policy writes what the owner of a bucket has to set up for
// Stevedore, and no more than that: rights, trust, encryption keys
// and CORS, as documents and commands of the cloud's own tools.
//
// It knows the clouds' formats and no SDK. It makes no requests and
// changes nothing.
package policy

import (
	"bytes"
	"encoding/json"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Uses says what a storage is to be used for. Listing is always part
// of it.
type Uses struct {
	Read     bool
	Write    bool
	Versions bool
	// KMSKey is the key that the bucket is encrypted with: an ARN for
	// S3, a resource name for Google Cloud Storage.
	KMSKey string
	// CORS describes the requests of browser pages; nil means that
	// there are none.
	CORS *tasks.CORS
	// TrustAccount is the AWS account of the workers, who assume a
	// role with ExternalID.
	TrustAccount string
	ExternalID   string
}

// UsesOf returns the uses that a verification checks.
func UsesOf(need tasks.Need) Uses {
	return Uses{Read: need.Read, Write: need.Write, Versions: need.Versions, CORS: need.CORS}
}

// Section is one document or command.
type Section struct {
	Title string // where it belongs, in one line
	Text  string // what to paste
}

// indented returns a value as JSON for people.
func indented(value any) string {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return err.Error() // only of values that this package does not make
	}
	return string(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
}
