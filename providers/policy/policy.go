// Package policy writes what the owner of a bucket has to set up for
// Stevedore, and no more than that: rights, trust, encryption keys and CORS,
// as documents and commands of the cloud's own tools.
//
// It knows the clouds' formats and no SDK; it asks nobody and changes
// nothing.
package policy

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Uses is what a storage shall be good for. Listing is always part of it.
type Uses struct {
	Read     bool
	Write    bool
	Versions bool
	// KMSKey is the key that the bucket is encrypted with: an ARN for s3, a
	// resource name for gcs.
	KMSKey string
	// CORS is what browser pages ask the bucket for; nil means that none
	// does.
	CORS *tasks.CORS
	// TrustAccount is the AWS account of the workers, who assume a role with
	// ExternalID.
	TrustAccount string
	ExternalID   string
}

// UsesOf is what a verification asks for.
func UsesOf(need tasks.Need) Uses {
	return Uses{Read: need.Read, Write: need.Write, Versions: need.Versions, CORS: need.CORS}
}

// Section is one document or command, and where it belongs.
type Section struct {
	Title string // a line for people
	Text  string // to paste
}

// For writes everything that a storage needs for its uses.
func For(s tasks.Storage, u Uses) ([]Section, error) {
	switch s.Provider {
	case "s3":
		return s3(s, u)
	case "gcs":
		return gcs(s, u), nil
	case "azure":
		return azure(s, u), nil
	}
	return nil, fmt.Errorf("provider %q has no rights to grant", s.Provider)
}

// indent is a value as JSON for people.
func indent(value any) string {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return err.Error() // only of values that this package does not make
	}
	return string(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
}

func methods(c *tasks.CORS) []string {
	if len(c.Methods) > 0 {
		return c.Methods
	}
	return []string{"GET", "HEAD"}
}

func headers(c *tasks.CORS) []string {
	if len(c.Headers) > 0 {
		return c.Headers
	}
	return []string{"Authorization"}
}

// exposed are the answers' headers that a page needs to read a part of an
// object, and to know which version it has.
func exposed() []string { return []string{"ETag", "Content-Length", "Content-Range"} }

const corsSeconds = 3600 // how long a browser may remember a preflight
