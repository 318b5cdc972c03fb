// Package manifest is the job build-manifest: it lists the images under
// a prefix, reads their heads, and stores CVAT's dataset manifest of
// them.
//
// It knows which rooms do what: selection says which objects count,
// imagehead and pointcloud read them, previous knows what need not be
// read again, entry writes lines, related finds context images, and
// order sorts. It knows nothing of queues or clouds.
//
// If a run works only on objects that failed earlier, it lists the
// context images of each. Point clouds get none then, nor do objects of
// an inventory report.
package manifest

import (
	"context"
	"path"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/ffprobe"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/firstread"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
	"github.com/stevedore-jobs/stevedore/worker/manifest/video"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// shardSize is how many objects a shard has: about one page of a
// listing.
const shardSize = 1000

// Job builds manifests. Make one with New.
type Job struct {
	budget *memory.Budget
	sizes  *firstread.Jobs
	video  video.Job
}

// New makes the job. It draws on the budget when it must sort the lines
// of a bucket that lists in another order.
func New(budget *memory.Budget) Job { return Job{budget: budget, sizes: new(firstread.Jobs)} }

// WithFFprobe returns the job with the program for payloads that name a
// video. Without a path they are refused.
func (m Job) WithFFprobe(p ffprobe.Program) Job {
	m.video.FFprobe = p
	return m
}

var _ job.Sharded[tasks.BuildManifest] = Job{}

// openSource opens the bucket with the images. Its listings hide the
// manifest itself, so that a second run counts the same objects.
func openSource(
	ctx context.Context, j tasks.BuildManifest, env job.Env,
) (providers.Bucket, error) {
	b, err := env.Open(ctx, j.Source)
	if err != nil {
		return nil, err
	}
	if j.Inventory != nil {
		b = unlisted{b}
	}
	return job.Hide(b, hidden(j)), nil
}

// hidden returns which keys are no objects of a job: its manifest.
func hidden(j tasks.BuildManifest) func(key string) bool {
	to, manifest := j.Target()
	own := to.Same(j.Source)
	return func(key string) bool { return own && key == manifest }
}

// dialectOf returns how the job writes its lines.
func dialectOf(j tasks.BuildManifest) entry.Dialect {
	_, manifest := j.Target()
	return entry.DialectOf(j, directory(manifest))
}

// directory returns the directory of a manifest with a slash at its
// end, or an empty string. Names of entries are relative to it.
func directory(manifest string) string {
	if dir := path.Dir(manifest); dir != "." {
		return dir + "/"
	}
	return ""
}
