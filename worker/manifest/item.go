package manifest

import (
	"context"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/firstread"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
	"github.com/stevedore-jobs/stevedore/worker/manifest/previous"
	"github.com/stevedore-jobs/stevedore/worker/manifest/related"
	"github.com/stevedore-jobs/stevedore/worker/manifest/report"
	"github.com/stevedore-jobs/stevedore/worker/manifest/selection"
	"github.com/stevedore-jobs/stevedore/worker/memory"
	"github.com/stevedore-jobs/stevedore/worker/pointcloud"
)

// headReader makes the entries of the selected objects.
type headReader struct {
	selection.Selection
	dir     string // of the manifest
	solid   bool   // the entries are point clouds
	dialect entry.Dialect
	marks   bool // entries have an ETag
	dryRun  bool // no object is read
	bucket  providers.Bucket
	sizes   *firstread.Sizes // learned from the heads of this job
	seen    *report.Image    // what becomes known of the object in work
	sums    bool             // entries have checksums
	budget  *memory.Budget   // to decode images

	known map[string]previous.Known // by key; nil if nobody looked
}

func newHeadReader(
	j tasks.BuildManifest, b providers.Bucket, sizes *firstread.Sizes,
) headReader {
	_, manifest := j.Target()
	dir, dialect := directory(manifest), dialectOf(j)
	return headReader{
		Selection: selection.New(j, dir), dir: dir, solid: j.Solid(),
		dialect: dialect, marks: dialect.HasMeta && !j.Plain, dryRun: j.DryRun,
		bucket: b, sizes: sizes, sums: j.Checksum,
	}
}

// item makes the line of one object.
func (r headReader) item(ctx context.Context, o providers.Object) (job.Item, error) {
	if item, isDecided, err := r.byName(o); isDecided {
		return item, err
	}
	r.seen.IsImage = true
	known := r.known[o.Key]
	switch {
	case r.isReusable(o, known):
		return r.entry(o, r.contentOf(o, known), tallyKept), nil
	case r.dryRun:
		return job.Item{Tally: unread(known.State, o)}, nil
	}
	c, v, bytes, err := r.read(ctx, o)
	if err != nil || v.Err != nil {
		if err == nil {
			err = v.Err
		}
		return job.Item{Tally: v.Tally, Bytes: bytes}, err
	}
	item := r.entry(o, c, tallyOf(known, c))
	item.Bytes = bytes
	return item, nil
}

// byName makes the item of an object whose name and size show that it
// is no entry. isDecided is false for all others.
func (r headReader) byName(o providers.Object) (item job.Item, isDecided bool, err error) {
	if v := r.Judge(o); v.Tally != "" {
		return job.Item{Tally: v.Tally}, true, v.Err
	}
	if r.isCloud(o) {
		return job.Item{}, false, nil
	}
	item, isDecided = r.contextImage(r.name(o))
	return item, isDecided, nil
}

// name returns the name of an object's entry.
func (r headReader) name(o providers.Object) string { return strings.TrimPrefix(o.Key, r.dir) }

func (r headReader) isCloud(o providers.Object) bool { return r.solid && pointcloud.ByName(o.Key) }

// entry makes the item of an entry.
func (r headReader) entry(o providers.Object, c content, tally string) job.Item {
	r.seen.Entry(c.kind, c.width, c.height)
	r.seen.WithoutChecksum = r.sums && c.sum == ""
	item := job.Item{Tally: tally, Error: selection.Warning(o.Key, c.kind)}
	if r.isCloud(o) {
		item.Data = entry.PointCloud(r.name(o), c.width, c.height)
	} else {
		item.Data = r.dialect.Image(r.name(o), c.width, c.height)
	}
	if r.sums && c.sum != "" {
		item.Data = entry.WithChecksum(item.Data, c.sum)
	}
	if r.marks {
		extra := entry.Extra{ETag: o.ETag, Size: o.Size, Unopenable: c.unopenable}
		if c.kind != imagehead.TypeByName(o.Key) {
			extra.Type = c.kind
		}
		item.Data = entry.WithExtra(item.Data, extra)
	}
	return item
}

// contextImage makes the item of an image that may belong to an entry.
// It reads nothing: CVAT needs no size of it.
func (r headReader) contextImage(name string) (item job.Item, isContext bool) {
	switch {
	case r.solid:
		return job.Item{
			Data: related.Line(name, related.CloudOwners(name)), Tally: tallyContext,
		}, true
	case !related.InDirectory(name):
		return job.Item{}, false
	}
	owner, found := related.ImageOwner(name)
	switch {
	case !found:
		return job.Item{Tally: selection.Skip(selection.Unowned)}, true
	case !r.dialect.HasMeta:
		return job.Item{Tally: selection.Skip(selection.ContextImage)}, true
	}
	return job.Item{
		Data: related.Line(name, []related.Owner{owner}), Tally: tallyContext,
	}, true
}
