// Package thumbnail is the job generate-thumbnails: it makes a JPEG
// thumbnail of each image under a prefix, and an index of the
// thumbnails.
//
// It decides how thumbnails are named, and limits the memory for
// decoding. It knows nothing of queues or clouds.
//
// A thumbnail's name contains a hash of the image's version and of the
// thumbnail's specification. So one listing shows which thumbnails the
// bucket already has.
package thumbnail

import (
	"context"
	"runtime"
	"strings"

	"golang.org/x/sync/semaphore"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// shardSize is how many objects a shard has: about half a minute's
// work.
const shardSize = 200

// Limits of one image. They are checked before anything is decoded.
const (
	maxPixels = 100_000_000
	maxFile   = 256 << 20 // bytes
)

// Job generates thumbnails. Make one with New.
type Job struct {
	budget     *memory.Budget
	processors *semaphore.Weighted
}

// New makes the job. The images of all its shards in this process draw
// on the budget, and are rendered on as many processors as there are.
func New(budget *memory.Budget) Job {
	return Job{budget, semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0)))}
}

var _ job.Sharded[tasks.GenerateThumbnails] = Job{}

// Plan implements job.Sharded. It cuts all objects under the source's
// prefix into shards, without those that Stevedore has written.
func (Job) Plan(
	ctx context.Context, j tasks.GenerateThumbnails, env job.Env,
	after string, emit func(job.Shard) error,
) error {
	if err := checkDirectory(j); err != nil {
		return err
	}
	b, err := openSource(ctx, j, env)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	if to, _ := j.Target(); after == "" {
		if err := env.CheckTarget(ctx, to); err != nil {
			return err
		}
	}
	return env.Cut(ctx, b, after, shardSize, emit)
}

// openSource opens the bucket with the images. Its listings hide the
// thumbnails, their index and what other jobs have written.
func openSource(
	ctx context.Context, j tasks.GenerateThumbnails, env job.Env,
) (providers.Bucket, error) {
	b, err := env.Open(ctx, j.Source)
	if err != nil {
		return nil, err
	}
	return job.Hide(b, func(key string) bool { return isOwn(j, key) }), nil
}

// isOwn reports whether Stevedore has written the object of the source
// under a key.
func isOwn(j tasks.GenerateThumbnails, key string) bool {
	to, dir := j.Target()
	return tasks.IsOwn(key) || to.Same(j.Source) && strings.HasPrefix(key, dir)
}

// checkDirectory returns an error if the destination's prefix, for
// example "out/x", hides a part of the thumbnails' directory "out/"
// from listings. The job could not see its earlier thumbnails there,
// and every run would make all of them again.
func checkDirectory(j tasks.GenerateThumbnails) error {
	to, dir := j.Target()
	if len(dir) >= len(to.Prefix) || !strings.HasPrefix(to.Prefix, dir) {
		return nil
	}
	return &providers.Error{
		Op: "list", Bucket: to.Bucket, Key: dir,
		Kind: providers.Invalid, Code: "DirectoryNotListable",
		Detail: "the destination's prefix " + to.Prefix + " hides a part of it",
		Fix: "Name a directory below the destination's prefix, " +
			"or end the prefix with a slash.",
	}
}
