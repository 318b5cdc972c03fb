// Package zipbucket defines a provider that Stevedore does not have:
// every bucket is a zip file in a directory of the worker, and can only
// be read.
//
// opener.go opens buckets, bucket.go reads them. The tests run the
// suite that all providers pass, with a bucket that writes beside it.
package zipbucket

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Provider is the name of the provider in payloads. The names of
// providers that are not Stevedore's begin with tasks.ForeignPrefix.
const Provider = tasks.ForeignPrefix + "zip"

// Opener opens the zip files of a directory.
type Opener struct{ Dir string }

var _ providers.Opener = Opener{}

// Open implements providers.Opener. The bucket "photos" is the file
// photos.zip. A file that does not exist is NotFound at the first
// operation.
func (o Opener) Open(
	_ context.Context, s tasks.Storage, _ providers.Secrets,
) (providers.Bucket, error) {
	if strings.ContainsAny(s.Bucket, `/\`) || !filepath.IsLocal(s.Bucket) {
		return nil, &providers.Error{
			Op: "open", Bucket: s.Bucket, Kind: providers.Invalid, Code: "InvalidBucketName",
			Detail: "a bucket of provider " + Provider + " is the name of a zip file, without .zip",
		}
	}
	return bucket{name: s.Bucket, file: filepath.Join(o.Dir, s.Bucket+".zip")}, nil
}
