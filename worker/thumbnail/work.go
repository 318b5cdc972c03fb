package thumbnail

import (
	"context"
	"iter"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// The counts of the items. Those with a fault have none.
const (
	tallyWritten   = "written"
	tallyUnchanged = "unchanged"
	tallySkipped   = "skipped"
)

// Work implements job.Sharded: it makes the thumbnails of one shard that are
// not there yet. Its data is the index's lines, the same every time; of a
// second run only the counts differ, written becoming unchanged.
func (t Job) Work(ctx context.Context, j tasks.GenerateThumbnails, env job.Env, s job.Shard) iter.Seq2[job.Item, error] {
	return func(yield func(job.Item, error) bool) {
		r, err := t.open(ctx, j, env)
		if err != nil {
			yield(job.Item{}, err)
			return
		}
		defer r.close()
		objects, err := r.list(ctx, env, s)
		if err != nil {
			yield(job.Item{}, err)
			return
		}
		s.Items(ctx, env, objects, r.item)(yield)
	}
}

// run is one shard's work.
type run struct {
	maker
	job      tasks.GenerateThumbnails
	from, to providers.Bucket
	there    map[string]string // full names of thumbnails by their stems
	memory   *memory
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
	return &run{maker: newMaker(j), job: j, from: from, to: to, memory: t.memory}, nil
}

func (r *run) close() {
	_ = r.from.Close()
	_ = r.to.Close()
}

// list lists a shard's objects, and which of their thumbnails are there.
// Those of single keys are not looked for: the images of an error list had
// none, and lie so far apart that one listing might be all of the directory.
func (r *run) list(ctx context.Context, env job.Env, s job.Shard) ([]job.ListedObject, error) {
	objects, err := s.List(ctx, r.from, env.Parallel)
	if err == nil && s.Keys == nil {
		r.there, err = existing(ctx, r.to, r.dir, r.stems(objects))
	}
	return objects, err
}

// skips reports whether an object is no image by its name, or left out:
// thumbnails are not images to make thumbnails of.
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

func (r *run) stems(objects []job.ListedObject) map[string]bool {
	stems := make(map[string]bool, len(objects))
	for _, o := range objects {
		if !skips(r.job, o.Key) && check(o.Object) == nil {
			stems[r.stem(o.Key, o.ETag)] = true
		}
	}
	return stems
}
