// Package thumbnail is the job generate-thumbnails: it makes a JPEG thumbnail
// of each image under a prefix, and an index of them.
//
// It knows how a thumbnail is named, decoded, turned and bounded in memory.
// It knows nothing of queues or clouds, and makes JPEGs out of JPEG and PNG
// only. A thumbnail's name tells which version of which image it shows and
// how it was made, so whether one is there already is seen from a listing
// alone.
package thumbnail

import (
	"context"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// shardSize is how many objects one worker deals with at a time: half a
// minute's work or so.
const shardSize = 200

// Limits of one image, known from its header before anything is decoded.
const (
	maxPixels = 100_000_000
	maxFile   = 256 << 20 // bytes
)

// Job generates thumbnails. Make it with New.
type Job struct{ memory *memory }

// New makes the job. budget is how many bytes the decoded images of all its
// shards in this process may take at once, by an estimate of 8 bytes a pixel;
// a quarter as much is for the files they are decoded from, besides. An image
// that is larger alone is decoded alone.
func New(budget int64) Job { return Job{newMemory(budget)} }

var _ job.Sharded[tasks.GenerateThumbnails] = Job{}

// Plan implements job.Sharded: it cuts everything under the source's prefix
// into shards.
func (Job) Plan(ctx context.Context, j tasks.GenerateThumbnails, env job.Env, after string, emit func(job.Shard) error) error {
	if err := checkDirectory(j); err != nil {
		return err
	}
	b, err := env.Open(ctx, j.Source)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	return job.Cut(ctx, b, after, shardSize, emit)
}

// checkDirectory refuses a directory that the destination's prefix, "out/x",
// keeps from being listed as a whole, "out/": what is there could not be
// seen, and every run would make all thumbnails again.
func checkDirectory(j tasks.GenerateThumbnails) error {
	to, dir := j.Target()
	if len(dir) >= len(to.Prefix) || !strings.HasPrefix(to.Prefix, dir) {
		return nil
	}
	return &providers.Error{
		Op: "list", Bucket: to.Bucket, Key: dir, Kind: providers.Invalid, Code: "DirectoryNotListable",
		Detail: "the destination's prefix " + to.Prefix + " hides a part of it",
		Fix:    "Name a directory below the destination's prefix, or end the prefix with a slash.",
	}
}
