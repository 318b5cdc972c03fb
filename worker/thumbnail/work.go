package thumbnail

import (
	"context"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// The counts of a part.
const (
	tallyWritten   = "written"
	tallyUnchanged = "unchanged"
	tallySkipped   = "skipped"
	tallyFailed    = "failed"
)

// Work implements job.Sharded: it makes the thumbnails of one shard that are not there yet. Its part is the index's lines,
// the same every time; of a second run only the counts differ, written becoming unchanged.
func (t Job) Work(ctx context.Context, j tasks.GenerateThumbnails, env job.Env, s job.Shard) (job.Part, error) {
	r, err := t.open(ctx, j, env)
	if err != nil {
		return job.Part{}, err
	}
	defer r.close()
	images, skipped, err := r.choose(ctx, j, s)
	if err != nil {
		return job.Part{}, err
	}
	if r.there, err = existing(ctx, r.to, r.dir, r.stems(images)); err != nil {
		return job.Part{}, err
	}
	made, err := job.Each(ctx, images, env.Parallel, r.image)
	if err != nil {
		return job.Part{}, err
	}
	part, err := assemble(made, env.Progress, s)
	if err != nil {
		return job.Part{}, err
	}
	part.Tally[tallySkipped] = skipped
	return part, nil
}

// run is one shard's work.
type run struct {
	maker
	from, to providers.Bucket
	there    map[string]string // full names of thumbnails by their stems
	memory   *memory
	progress *job.Progress
}

func (t Job) open(ctx context.Context, j tasks.GenerateThumbnails, env job.Env) (*run, error) {
	from, err := env.Open(ctx, j.Source)
	if err != nil {
		return nil, err
	}
	storage, _ := j.Target()
	to, err := env.Open(ctx, storage)
	if err != nil {
		_ = from.Close()
		return nil, err
	}
	return &run{maker: newMaker(j), from: from, to: to, memory: t.memory, progress: env.Progress}, nil
}

func (r *run) close() {
	_ = r.from.Close()
	_ = r.to.Close()
}

// choose lists a shard's images and counts the other objects.
func (r *run) choose(ctx context.Context, j tasks.GenerateThumbnails, s job.Shard) (images []providers.Object, skipped int64, err error) {
	for o, err := range s.List(ctx, r.from) {
		switch {
		case err != nil:
			return nil, 0, err
		case skips(j, o.Key):
			r.progress.Done(0)
			skipped++
		default:
			images = append(images, o)
		}
	}
	return images, skipped, nil
}

// skips reports whether an object is no image by its name, or left out: thumbnails are not images to make thumbnails of.
func skips(j tasks.GenerateThumbnails, key string) bool {
	if tasks.IsOwn(key) || imagehead.ByName(key) == imagehead.NotImage {
		return true
	}
	if to, dir := j.Target(); to.Same(j.Source) && strings.HasPrefix(key, dir) {
		return true
	}
	for _, prefix := range j.Exclude {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// check finds what is wrong with an image by its listing alone.
func check(o providers.Object) error {
	switch {
	case imagehead.ByName(o.Key) == imagehead.Unreadable:
		return &imagehead.Error{Code: imagehead.CodeUnsupported, Detail: imagehead.Extension(o.Key) + " is not read yet: there are jpeg, png"}
	case o.Size == 0:
		return &imagehead.Error{Code: imagehead.CodeEmpty, Detail: "the object is empty"}
	case o.Size > maxFile:
		return tooLarge("the file has %d bytes; the limit is %d", o.Size, maxFile)
	}
	return imagehead.CheckKey(o.Key)
}

func (r *run) stems(images []providers.Object) map[string]bool {
	stems := make(map[string]bool, len(images))
	for _, o := range images {
		if check(o) == nil {
			stems[r.stem(o.Key, o.ETag)] = true
		}
	}
	return stems
}
