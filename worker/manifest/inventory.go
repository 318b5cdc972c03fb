package manifest

import (
	"context"
	"errors"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/inventory"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/manifest/selection"
)

// openInventory opens the report that lists the objects of a job.
func (m Job) openInventory(
	ctx context.Context, j tasks.BuildManifest, env job.Env,
) (*inventory.List, error) {
	report, key := j.InventorySource()
	return inventory.Open(ctx, inventory.Source{
		Report: report, Key: key, Bucket: j.Source.Bucket, Prefix: j.Source.Prefix,
		Hidden: hidden(j),
	}, m.budget, env.Open)
}

// objects returns the objects of a shard. Those of a report whose
// listing the engine has dropped are read from the report again.
func (m Job) objects(
	ctx context.Context, j tasks.BuildManifest, env job.Env, s job.Shard, b providers.Bucket,
) ([]job.ListedObject, error) {
	if j.Inventory == nil || len(s.Listing) > 0 || s.Keys != nil {
		return s.List(ctx, b, env.Parallel)
	}
	l, err := m.openInventory(ctx, j, env)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	return l.Shard(ctx, s)
}

// unlisted is a bucket whose objects a report lists. To list it is a
// mistake in the code.
type unlisted struct{ providers.Bucket }

// Unwrap implements the wrapper interface of providers.As.
func (u unlisted) Unwrap() providers.Bucket { return u.Bucket }

// List implements providers.Bucket. It always fails.
func (unlisted) List(
	context.Context, providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		yield(providers.Object{}, errors.New(
			"the job lists the bucket, though its payload has an inventory"))
	}
}

// current makes the items of objects as they are now. A report is a day
// or a week old: an object may have changed since, or be gone. A report
// without ETags does not show it. An object that the report shows
// unchanged since the earlier manifest is not looked at.
type current struct{ headReader }

// item makes the item of an object. It asks the bucket for the object if
// the report does not tell its ETag, or if the object has another one.
func (c current) item(ctx context.Context, o providers.Object) (job.Item, error) {
	item, err := job.Item{}, error(providers.Conflict)
	if o.ETag != "" || c.dryRun || c.Judge(o).Tally != "" {
		item, err = c.headReader.item(ctx, o)
	}
	if errors.Is(err, providers.Conflict) {
		before := item.Bytes
		if o, err = c.bucket.Stat(ctx, o.Key); err == nil {
			item, err = c.headReader.item(ctx, o)
		}
		item.Bytes += before
	}
	if errors.Is(err, providers.NotFound) {
		return job.Item{Tally: selection.Skip(selection.Gone), Bytes: item.Bytes}, nil
	}
	return item, err
}
