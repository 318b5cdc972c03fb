// Package manifest is the job build-manifest: it lists the images under a
// prefix, reads their headers, and puts CVAT's dataset manifest of them into
// a bucket.
//
// It knows the manifest's format to the byte and which objects CVAT takes for
// images. It knows nothing of how headers look (that is imagehead), of queues
// or of clouds. Context images (related_images), videos and point clouds are
// not its trade: an image in a related_images directory is an entry like any
// other.
package manifest

import (
	"context"
	"path"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// shardSize is how many objects one worker deals with at a time: about one
// page of a listing.
const shardSize = 1000

// Job builds manifests. The zero value is ready.
type Job struct{}

var _ job.Sharded[tasks.BuildManifest] = Job{}

// Plan implements job.Sharded: it cuts everything under the source's prefix
// into shards. The order of the keys is the order of the manifest, which CVAT
// calls lexicographical and sorts by code points.
func (Job) Plan(ctx context.Context, j tasks.BuildManifest, env job.Env, after string, emit func(job.Shard) error) error {
	b, err := env.Open(ctx, j.Source)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	return job.Cut(ctx, b, after, shardSize, emit)
}

// directory is where the entries of a manifest are resolved from: its own
// directory, with a slash, or empty.
func directory(manifest string) string {
	if dir := path.Dir(manifest); dir != "." {
		return dir + "/"
	}
	return ""
}
