package manifest

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
	"github.com/stevedore-jobs/stevedore/worker/manifest/related"
)

// retried makes the items of objects that failed earlier. Their context
// images are not among them, so it lists those of each entry.
type retried struct {
	headReader
	prefix string // of the source
}

// itemFunc makes the item of an object with a reader.
type itemFunc func(headReader, context.Context, providers.Object) (job.Item, error)

// itemOf returns the function for the items of a shard.
func itemOf(j tasks.BuildManifest, s job.Shard) itemFunc {
	hasContext := !j.Solid() && dialectOf(j).HasMeta
	switch {
	case j.Inventory != nil:
		return func(r headReader, ctx context.Context, o providers.Object) (job.Item, error) {
			return current{r}.item(ctx, o)
		}
	case s.Keys != nil && hasContext:
		return func(r headReader, ctx context.Context, o providers.Object) (job.Item, error) {
			return retried{r, j.Source.Prefix}.item(ctx, o)
		}
	}
	return headReader.item
}

func (r retried) item(ctx context.Context, o providers.Object) (job.Item, error) {
	item, err := r.headReader.item(ctx, o)
	if err != nil || item.Tally != tallyEntries {
		return item, err
	}
	images, err := r.contextOf(ctx, strings.TrimPrefix(o.Key, r.dir))
	switch {
	case errors.Is(err, providers.NotFound):
		return item, nil // a directory that does not exist, on a file system
	case err != nil:
		return job.Item{Bytes: item.Bytes}, err
	}
	item.Data = entry.WithRelated(item.Data, images)
	return item, nil
}

// contextOf returns the names of the context images of an image, in
// CVAT's order.
func (r retried) contextOf(ctx context.Context, name string) (images []string, err error) {
	listed := 0
	opts := providers.ListOptions{Prefix: r.dir + related.DirectoryOf(name)}
	for o, err := range r.bucket.List(ctx, opts) {
		if err != nil {
			return nil, err
		}
		if listed++; listed > related.MaxImages {
			return nil, related.TooMany(name)
		}
		image := strings.TrimPrefix(o.Key, r.dir)
		owner, found := related.ImageOwner(image)
		isListed := strings.HasPrefix(o.Key, r.prefix) // in a first run
		if found && owner.Name == name && isListed && r.Judge(o).Tally == "" {
			images = append(images, image)
		}
	}
	slices.SortFunc(images, keyorder.Bytes.Compare)
	return images, nil
}
