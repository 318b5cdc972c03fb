package thumbnail

import (
	"context"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/globs"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// The tallies of the items. An item with an Error has no tally.
const (
	tallyWritten   = "written"
	tallyUnchanged = "unchanged"
	tallySkipped   = "skipped"
)

// Work implements job.Sharded. It makes the thumbnails of one shard
// that the bucket does not have yet. The items' data are lines of the
// index. A second run gives the same data; only tallies change from
// written to unchanged.
func (t Job) Work(
	ctx context.Context, j tasks.GenerateThumbnails, env job.Env, s job.Shard,
) iter.Seq2[job.Item, error] {
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

// run works on one shard.
type run struct {
	maker
	job      tasks.GenerateThumbnails
	from, to providers.Bucket
	selected globs.Selection
	existing map[string]string // full names of thumbnails by their stems
	limits   Job               // its budget and processors
}

func (t Job) open(
	ctx context.Context, j tasks.GenerateThumbnails, env job.Env,
) (*run, error) {
	from, err := openSource(ctx, j, env)
	if err != nil {
		return nil, err
	}
	storage, _ := j.Target()
	to, err := providers.OpenTarget(ctx, storage, env.Open)
	if err != nil {
		_ = from.Close()
		return nil, err
	}
	return &run{
		maker: newMaker(j), job: j, from: from, to: to, limits: t,
		selected: globs.New(j.Include, j.Exclude),
	}, nil
}

func (r *run) close() {
	_ = r.from.Close()
	_ = r.to.Close()
}

// list lists a shard's objects, and finds out which of their thumbnails
// exist. It does not look for the thumbnails of a shard with Keys:
// those images failed before, and their keys may be so far apart that
// one listing would cover the whole directory.
func (r *run) list(
	ctx context.Context, env job.Env, s job.Shard,
) ([]job.ListedObject, error) {
	objects, err := s.List(ctx, r.from, env.Parallel)
	if err == nil && s.Keys == nil {
		r.existing, err = findExisting(ctx, r.to, r.dir, r.stems(objects), r.orderOf(s))
	}
	return objects, err
}

// orderOf returns what the listing of a shard shows of the order in
// which the destination lists; 0 if that is another bucket.
func (r *run) orderOf(s job.Shard) keyorder.Order {
	if to, _ := r.job.Target(); to.Same(r.job.Source) {
		return s.KnownOrder(r.from)
	}
	return 0
}

// skips reports whether an object gets no thumbnail: it is not an image
// by its name, it is excluded, or Stevedore has written it and a retry
// names it.
func (r *run) skips(key string) bool {
	return isOwn(r.job, key) || imagehead.ByName(key) == imagehead.NotImage ||
		!r.selected.Has(key)
}

// check returns an error if the listing alone shows that an image
// cannot have a thumbnail.
func check(o providers.Object) error {
	switch {
	case imagehead.ByName(o.Key) == imagehead.Unreadable && !imagehead.ReadsName(o.Key):
		return imagehead.UnsupportedName(o.Key)
	case o.Size == 0:
		return &head.Error{Code: head.CodeEmpty, Detail: "the object is empty"}
	case o.Size > maxFile:
		return tooLarge("the file has %d bytes; the limit is %d", o.Size, maxFile)
	}
	return imagehead.CheckKey(o.Key)
}

func (r *run) stems(objects []job.ListedObject) []string {
	stems := make([]string, 0, len(objects))
	for _, o := range objects {
		if !r.skips(o.Key) && check(o.Object) == nil {
			stems = append(stems, r.stem(o.Key, o.ETag))
		}
	}
	return stems
}
