package manifest

import (
	"context"
	"iter"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/firstread"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
	"github.com/stevedore-jobs/stevedore/worker/manifest/related"
	"github.com/stevedore-jobs/stevedore/worker/manifest/selection"
	"github.com/stevedore-jobs/stevedore/worker/memory"
	"github.com/stevedore-jobs/stevedore/worker/pointcloud"
)

const (
	// tallyEntries is the tally of the items that are entries. The
	// others have those of package selection, or an Error.
	tallyEntries = "entries"
	// tallyWithout is that of entries without a checksum, of a job that
	// asks for checksums.
	tallyWithout = "entries-without-checksum"
	// tallyContext is that of context images, which Finish joins with
	// the entries that they belong to.
	tallyContext = "context"
	// codeCorruptCloud is the code of a broken point cloud on the error
	// list.
	codeCorruptCloud = "corrupt-point-cloud"
)

// Work implements job.Sharded. It makes the manifest's lines of one
// shard. Each object becomes an item: an entry, or skipped, or
// failed.
func (m Job) Work(
	ctx context.Context, j tasks.BuildManifest, env job.Env, s job.Shard,
) iter.Seq2[job.Item, error] {
	return func(yield func(job.Item, error) bool) {
		b, err := openSource(ctx, j, env)
		if err != nil {
			yield(job.Item{}, err)
			return
		}
		defer func() { _ = b.Close() }()
		objects, err := m.objects(ctx, j, env, s, b)
		if err != nil {
			yield(job.Item{}, err)
			return
		}
		reader := newHeadReader(j, b, m.sizes.Of(env.ID))
		reader.budget = m.budget
		s.Items(ctx, env, objects, reader.itemOf(j, s))(yield)
	}
}

// headReader reads the heads of the selected images.
type headReader struct {
	selection.Selection
	dir     string // of the manifest
	solid   bool   // the entries are point clouds
	dialect entry.Dialect
	bucket  providers.Bucket
	sizes   *firstread.Sizes // learned from the heads of this job
	sums    bool             // entries have checksums
	budget  *memory.Budget   // to decode images
}

func newHeadReader(
	j tasks.BuildManifest, b providers.Bucket, sizes *firstread.Sizes,
) headReader {
	_, manifest := j.Target()
	dir := directory(manifest)
	return headReader{
		Selection: selection.New(j, dir), dir: dir, solid: j.Solid(), dialect: dialectOf(j),
		bucket: b, sizes: sizes, sums: j.Checksum,
	}
}

// item makes the line of one object.
func (r headReader) item(ctx context.Context, o providers.Object) (job.Item, error) {
	if v := r.Judge(o); v.Tally != "" {
		return job.Item{Tally: v.Tally}, v.Err
	}
	name := strings.TrimPrefix(o.Key, r.dir)
	if r.solid && pointcloud.ByName(name) {
		return r.cloud(ctx, o, name)
	}
	if item, isContext := r.contextImage(name); isContext {
		return item, nil
	}
	h, read, err := r.head(ctx, o)
	if err != nil {
		return job.Item{Bytes: read}, err
	}
	if v := r.JudgeHead(o.Key, h); v.Err != nil {
		return job.Item{Tally: v.Tally, Bytes: read}, v.Err
	}
	width, height := h.Display()
	item := job.Item{
		Data:  r.dialect.Image(name, width, height),
		Tally: tallyEntries,
		Bytes: read,
		Error: selection.Warning(o.Key, h.Type),
	}
	if r.sums {
		err = r.addChecksum(ctx, o, h, &item)
	}
	return item, err
}

// headBytes is about how many bytes a format needs from where it jumps
// to.
const headBytes = 64

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

// cloud makes the item of a point cloud.
func (r headReader) cloud(
	ctx context.Context, o providers.Object, name string,
) (job.Item, error) {
	width, height, read, err := r.cloudSize(ctx, o)
	if err != nil {
		return job.Item{Bytes: read}, err
	}
	return job.Item{
		Data: entry.PointCloud(name, width, height), Tally: tallyEntries, Bytes: read,
		Error: selection.Warning(o.Key, ""),
	}, nil
}

// cloudSize returns how many points a point cloud has, across and down.
// It reads nothing of a Velodyne scan.
func (r headReader) cloudSize(
	ctx context.Context, o providers.Object,
) (width, height int, read int64, err error) {
	corrupt := func(err error) error {
		return &head.Error{Code: codeCorruptCloud, Detail: err.Error()}
	}
	if strings.EqualFold(imagehead.Extension(o.Key), ".bin") {
		if width, err = pointcloud.VelodyneSize(o.Size); err != nil {
			return 0, 0, 0, corrupt(err)
		}
		return width, 1, 0, nil
	}
	for n := int64(pointcloud.FirstRead); ; n *= 8 {
		n = min(n, o.Size, pointcloud.MaxHeader)
		start, err := r.part(ctx, o, 0, n)
		read += int64(len(start))
		if err != nil {
			return 0, 0, read, err
		}
		isLast := n == o.Size || n == pointcloud.MaxHeader
		width, height, more, err := pointcloud.PCDSize(start, isLast)
		if err != nil {
			return 0, 0, read, corrupt(err)
		}
		if !more {
			return width, height, read, nil
		}
	}
}

// head reads the head of an image. read is how many bytes it has
// fetched, also if it fails.
func (r headReader) head(
	ctx context.Context, o providers.Object,
) (h head.Head, read int64, err error) {
	extension, normal, need := imagehead.Extension(o.Key), imagehead.FirstRead(o.Key), int64(0)
	first := r.sizes.Get(extension, normal)
	h, err = imagehead.Read(func(off, n int64) ([]byte, error) {
		need = max(need, off+headBytes)
		data, err := r.part(ctx, o, off, n)
		read += int64(len(data))
		return data, err
	}, o.Size, first)
	if err == nil && first == normal {
		r.sizes.Learn(extension, normal, need)
	}
	return h, read, imagehead.RefineError(o.Key, err)
}

// part reads a part of an object, only from the version that was
// listed.
func (r headReader) part(ctx context.Context, o providers.Object, off, n int64) ([]byte, error) {
	opts := providers.ReadOptions{Offset: off, Length: n, IfMatch: o.ETag}
	return job.ReadRange(ctx, r.bucket, o.Key, opts)
}
