package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
)

const (
	maxImages  = 1_000_000     // in one document
	maxSubsets = 100           // each costs a pass over the document
	maxSide    = 1_000_000     // pixels
	maxPixels  = 1_000_000_000 // of an image; pycocotools counts them in 32 bits
)

// input is the object that holds the annotations. After the first pass it is
// read only as it was then.
type input struct {
	bucket    providers.Bucket
	name, key string // of the bucket and the object
	etag      string
}

// scan reads the document from its start to its end and shows each image to
// do, with the reader standing at its shapes. A document that changed since
// the first scan is a Conflict.
func (in *input) scan(ctx context.Context, do func(*reader, header) error) (schema, error) {
	body, err := in.bucket.Open(ctx, in.key, providers.ReadOptions{IfMatch: in.etag})
	if err != nil {
		return schema{}, err
	}
	defer func() { _ = body.Close() }()
	in.etag = body.Object.ETag
	r := newReader(body)
	if err := r.readSchema(); err != nil {
		return schema{}, in.failed(err)
	}
	for {
		h, err := r.next()
		if errors.Is(err, io.EOF) {
			return r.schema, nil
		}
		if err == nil {
			err = do(r, h)
		}
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return schema{}, in.failed(err)
		}
	}
}

// failed says of an error from reading the document what it means for the
// job.
func (in *input) failed(err error) error {
	var bad *malformed
	if !errors.As(err, &bad) {
		return providers.Failed("get", in.name, in.key, err)
	}
	return &providers.Error{
		Op: "read", Bucket: in.name, Key: in.key, Kind: providers.Invalid,
		Code: bad.code, Detail: bad.Error(), Fix: bad.fix,
	}
}

// survey is the first pass: it remembers the images and the subsets, and
// finds out whether the document is sound.
func (x *exporter) survey(ctx context.Context) error {
	var err error
	x.schema, err = x.input.scan(ctx, func(r *reader, h header) error {
		if len(x.images) == maxImages {
			return r.fail("TooLarge", fmt.Sprintf("more than %d images", maxImages), "Export fewer images at a time, for example task by task.")
		}
		if err := x.addSubset(r, h.subset); err != nil {
			return err
		}
		x.images = append(x.images, newImage(h))
		return nil
	})
	if len(x.subsets) == 0 {
		x.subsets = []string{defaultSubset}
	}
	slices.SortFunc(x.subsets, func(a, b string) int { return strings.Compare(annotationsFile(a), annotationsFile(b)) })
	return err
}

func newImage(h header) entry {
	im := entry{header: h}
	if !exportable(h.name) {
		im.problems.add(problemf(codeName, "an empty, \".\" or \"..\" path segment in image name %.200q; left out", h.name))
	}
	if h.width < 1 || h.height < 1 || h.width > maxSide || h.height > maxSide || h.width*h.height > maxPixels {
		im.problems.add(problemf(codeImage, "width and height are missing or not usable; left out"))
	}
	im.out = !im.problems.empty()
	return im
}

// addSubset refuses what cannot be part of a file name, or would meet another
// subset's files where case does not count.
func (x *exporter) addSubset(r *reader, subset string) error {
	if slices.Contains(x.subsets, subset) {
		return nil
	}
	const fix = "Rename the subset in CVAT and export again."
	if len(subset) > 100 || !exportable(subset) || strings.Contains(subset, "/") || safeName(subset) != subset {
		return r.fail("InvalidSubset", fmt.Sprintf("subset %.100q cannot be a file name", subset), fix)
	}
	for _, other := range x.subsets {
		if fold(other) == fold(subset) {
			return r.fail("InvalidSubset", fmt.Sprintf("subsets %q and %q differ only in case", other, subset), fix)
		}
	}
	if len(x.subsets) == maxSubsets {
		return r.fail("TooLarge", fmt.Sprintf("more than %d subsets", maxSubsets), "Export the project's tasks one by one.")
	}
	x.subsets = append(x.subsets, subset)
	return nil
}
