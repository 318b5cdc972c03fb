// Package row is what the formats of S3 Inventory reports have in
// common: a row describes one version of one object.
package row

import "fmt"

// Row is a row of a report.
type Row struct {
	Bucket string
	Key    string // as the bucket lists it: not URL-encoded
	Size   int64  // bytes; 0 of a delete marker
	ETag   string // without quotes; empty if the report has no ETags
	// Current says that the row is of the latest version, and that this
	// is no delete marker.
	Current bool
}

// MaxKey is how long a key may be, in bytes. S3 allows 1,024.
const MaxKey = 3 << 10

// MaxText is how long a bucket name or an ETag may be, in bytes.
const MaxText = 255

// Check returns an error if a text of the row is too long.
func (r Row) Check() error {
	switch {
	case len(r.Key) > MaxKey:
		return fmt.Errorf("the key %.100q... has %d bytes, more than S3 allows", r.Key, len(r.Key))
	case len(r.Bucket) > MaxText, len(r.ETag) > MaxText:
		return fmt.Errorf("the bucket or the ETag of the key %.100q is longer than %d bytes",
			r.Key, MaxText)
	case r.Size < 0:
		return fmt.Errorf("the key %.100q has the size %d", r.Key, r.Size)
	}
	return nil
}
