package manifest

import (
	"context"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/manifest/selection"
	"github.com/stevedore-jobs/stevedore/worker/pointcloud"
)

const (
	// codeCorruptCloud is the code of a broken point cloud on the error
	// list.
	codeCorruptCloud = "corrupt-point-cloud"
	// headBytes is about how many bytes a format needs from where it
	// jumps to.
	headBytes = 64
)

// content is what an entry says about the content of its object.
type content struct {
	width, height int       // as displayed; points of a point cloud
	kind          head.Type // empty for a point cloud
	unopenable    bool      // CVAT cannot open the image
	sum           string    // the checksum, if the job asks for it and the image has one
}

// read reads what an entry needs. bytes is how many it has fetched,
// also if it fails. With a verdict the object is no entry.
func (r headReader) read(
	ctx context.Context, o providers.Object,
) (c content, v selection.Verdict, bytes int64, err error) {
	if r.isCloud(o) {
		c.width, c.height, bytes, err = r.cloudSize(ctx, o)
		return c, v, bytes, err
	}
	h, bytes, err := r.head(ctx, o)
	if err != nil {
		return c, v, bytes, err
	}
	c.width, c.height = h.Display()
	c.kind, c.unopenable = h.Type, h.Refusal != ""
	v = r.JudgeHead(o.Key, h)
	if v.Tally == "" && v.Err == nil && r.sums {
		var more int64
		c.sum, more, err = r.checksum(ctx, o, h)
		bytes += more
	}
	return c, v, bytes, err
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
	r.seen.Requests++
	opts := providers.ReadOptions{Offset: off, Length: n, IfMatch: o.ETag}
	return job.ReadRange(ctx, r.bucket, o.Key, opts)
}
