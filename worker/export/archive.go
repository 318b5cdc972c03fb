package export

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"slices"

	"github.com/stevedore-jobs/stevedore/worker/asciijson"
	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/export/formats"
	"github.com/stevedore-jobs/stevedore/worker/export/pack"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// archiver writes the data set as one archive. It can be used once.
type archiver struct {
	data      *dataset
	document  *document
	writer    formats.Writer
	source    *imageSource // nil unless images are included
	directory imageDirectory
	progress  *imageProgress

	shapes int64 // written so far
}

// write writes annotations, images and names in this order, which is
// also the order of their paths (see formats.Writer).
func (a *archiver) write(ctx context.Context, w io.Writer) error {
	zip := pack.NewZip(steps.Writer(ctx, w))
	for _, subset := range a.data.subsets {
		file, err := zip.Create(a.writer.AnnotationsPath(subset))
		if err != nil {
			return err
		}
		if err := a.writer.Write(ctx, file, a.subset(ctx, subset)); err != nil {
			return err
		}
	}
	if a.source != nil {
		if err := a.writeImages(ctx, zip); err != nil {
			return err
		}
	}
	if err := a.writeNames(ctx, zip); err != nil {
		return err
	}
	return zip.Close()
}

// subset returns the exported images of a subset and their shapes.
func (a *archiver) subset(ctx context.Context, name string) annotation.Subset {
	return annotation.Subset{
		Name:   name,
		Schema: &a.data.schema,
		Images: func(yield func(annotation.Image) bool) {
			for im := range a.data.exported() {
				if im.Subset == name && !yield(im.Image) {
					return
				}
			}
		},
		Shapes: func(write writeShape) error { return a.scanShapes(ctx, name, write) },
	}
}

// writeShape writes one shape of an image, or returns the shape's
// problem.
type writeShape = func(
	place int, im annotation.Image, sh annotation.Shape,
) (*annotation.Problem, error)

// shapeWork is how many steps a shape takes at least.
const shapeWork = 256

// scanShapes scans the document and calls write for each shape of a
// subset's exported images. It adds all problems to the images'
// records. If no images are included, an image is finished after its
// shapes.
func (a *archiver) scanShapes(ctx context.Context, subset string, write writeShape) error {
	next, place := 0, -1
	var work steps.Counter
	_, err := a.document.scan(ctx, func(r formats.Reader, _ annotation.Image) error {
		im := &a.data.images[next]
		next++
		if im.leftOut || im.Subset != subset {
			return nil
		}
		place++
		err := r.Shapes(func(sh annotation.Shape, problem *annotation.Problem) error {
			err := work.Add(ctx, shapeWork)
			if problem == nil && err == nil {
				problem, err = write(place, im.Image, sh)
			}
			switch {
			case problem != nil:
				a.data.listed.add(&im.problems, problem)
			case err == nil:
				a.shapes++
			}
			return err
		})
		if err == nil && a.source == nil {
			a.progress.finish(im, 0)
		}
		return err
	})
	return err
}

// writeImages adds the images, sorted by their paths.
func (a *archiver) writeImages(ctx context.Context, zip *pack.Zip) error {
	list := slices.Collect(a.data.exported())
	err := steps.Sort(ctx, list, func(x, y *imageRecord) int {
		return cmp.Compare(a.writer.ImagePath(x.Image), a.writer.ImagePath(y.Image))
	})
	if err != nil {
		return err
	}
	for f, err := range a.source.fetchAll().Range(ctx, list) {
		if err != nil {
			return err
		}
		err := a.writeImage(ctx, zip, f)
		_ = f.Close()
		if err != nil {
			return err
		}
		a.progress.finish(f.im, f.size)
	}
	return nil
}

// writeImage adds an image as it is stored, or turned upright if it
// must be.
func (a *archiver) writeImage(ctx context.Context, zip *pack.Zip, f *imageFile) error {
	h, turn, err := a.source.inspect(ctx, f)
	if err != nil {
		return a.source.failed(f.im, err)
	}
	path := a.writer.ImagePath(f.im.Image)
	if !turn && f.size > a.source.held() {
		body := &errReader{r: io.MultiReader(bytes.NewReader(f.first), f.body)}
		err = zip.StoreFrom(path, body)
		if body.err != nil {
			return a.source.failed(f.im, body.err)
		}
		return err
	}

	more := int64(0)
	if turn {
		more = turnMemory(h)
	}
	content, share, err := a.source.whole(ctx, f, more)
	if err != nil {
		return a.source.failed(f.im, err)
	}
	defer share.Release()
	if turn {
		upright, err := turnUpright(ctx, h, content)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			f.addProblem(head.CodeCorrupt,
				"cannot be decoded to be turned upright: "+err.Error())
		default:
			content = upright
		}
	}
	share.Shrink(content.Size())
	return zip.Store(path, content.Pieces()...)
}

// writeNames adds names.jsonl if a file has another name than its
// image. It has a line for each such file.
func (a *archiver) writeNames(ctx context.Context, zip *pack.Zip) error {
	var file io.Writer
	var line []byte
	var work steps.Counter
	for im := range a.data.exported() {
		if im.File == im.Name {
			continue
		}
		if file == nil {
			var err error
			if file, err = zip.Create("names.jsonl"); err != nil {
				return err
			}
		}
		line = asciijson.Append(append(line[:0], `{"key":`...), a.directory.key(im))
		line = asciijson.Append(append(line, `,"subset":`...), im.Subset)
		line = asciijson.Append(append(line, `,"file_name":`...), im.File)
		line = append(line, "}\n"...)
		if _, err := file.Write(line); err != nil {
			return err
		}
		if err := work.Add(ctx, len(line)); err != nil {
			return err
		}
	}
	return nil
}
