package thumbnail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/raster"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// indexLine is a line of the index.
type indexLine struct {
	Key       string `json:"key"`       // of the image
	ETag      string `json:"etag"`      // of the image's version
	Thumbnail string `json:"thumbnail"` // key in the destination
	Width     int    `json:"width"`     // of the thumbnail, pixels
	Height    int    `json:"height"`
}

// encode returns the line as JSON with a newline.
func (l indexLine) encode() ([]byte, error) {
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(l); err != nil {
		return nil, fmt.Errorf("index line of %s: %w", l.Key, err)
	}
	return line.Bytes(), nil
}

var errNotIndexLine = errors.New("the line is not a line of an index")

// keyOf returns the key of a line of the index, by which the lines are
// sorted.
func keyOf(line []byte) (string, error) {
	var l indexLine
	if err := json.Unmarshal(line, &l); err != nil {
		return "", fmt.Errorf("%w: %w", errNotIndexLine, err)
	}
	if l.Key == "" {
		return "", errNotIndexLine
	}
	return l.Key, nil
}

// item makes the thumbnail of one object, unless the bucket already has
// it.
func (r *run) item(ctx context.Context, o providers.Object) (job.Item, error) {
	if r.skips(o.Key) {
		return job.Item{Tally: tallySkipped}, nil
	}
	if err := check(o); err != nil {
		return job.Item{}, err
	}

	line, item := indexLine{Key: o.Key, ETag: o.ETag}, job.Item{Tally: tallyUnchanged}
	stem := r.stem(o.Key, o.ETag)
	if name, ok := r.existing[stem]; ok {
		line.Thumbnail = name
		_, line.Width, line.Height, _ = parseName(name)
	} else {
		made, read, err := r.produce(ctx, o)
		if err != nil {
			return job.Item{Bytes: read}, err
		}
		line.Width, line.Height = made.width, made.height
		line.Thumbnail = fullName(stem, made.width, made.height)
		opts := providers.WriteOptions{ContentType: "image/jpeg"}
		if _, err := r.to.Put(ctx, line.Thumbnail, bytes.NewReader(made.jpeg), opts); err != nil {
			return job.Item{Bytes: read}, err
		}
		item.Tally, item.Bytes = tallyWritten, read+int64(len(made.jpeg))
	}

	data, err := line.encode()
	item.Data = data
	return item, err
}

// produce reads an image and renders its thumbnail, within the limits
// of memory. read is how many bytes it has read, also if it fails.
func (r *run) produce(
	ctx context.Context, o providers.Object,
) (made rendering, read int64, err error) {
	from, err := openImage(ctx, r.from, o)
	if err != nil {
		return rendering{}, 0, imagehead.RefineError(o.Key, err)
	}
	defer from.close()
	made, err = r.renderWithin(ctx, from)
	return made, from.read, imagehead.RefineError(o.Key, err)
}

// renderWithin renders an image within the memory budget. It takes
// memory for the file as it comes, then for the pixels, and then a
// processor. An image that has all of that waits for nothing more.
func (r *run) renderWithin(ctx context.Context, from *source) (rendering, error) {
	h, err := from.head(ctx)
	if err != nil {
		return rendering{}, err
	}
	if !raster.CanDecode(h.Type) {
		return rendering{}, &head.Error{
			Code: head.CodeUnsupported, Type: h.Type,
			Detail: fmt.Sprintf("thumbnails of %s images are not supported", h.Type),
		}
	}
	if int64(h.Width)*int64(h.Height) > maxPixels {
		return rendering{}, tooLarge("the image has %d x %d pixels; the limit is %d million",
			h.Width, h.Height, maxPixels/1_000_000)
	}
	pixels := r.memory(h)
	share, err := r.limits.budget.Claim(from.object.Size + pixels)
	if err != nil {
		return rendering{}, &head.Error{
			Code: codeTooLarge, Type: h.Type, Err: err,
			Detail: fmt.Sprintf("the %s has %d x %d pixels", h.Type, h.Width, h.Height),
		}
	}
	defer share.Release()
	content, err := from.content(ctx, share)
	if err != nil {
		return rendering{}, err
	}
	from.close() // the connection is free for others

	if err := share.Grow(ctx, pixels); err != nil {
		return rendering{}, err
	}
	if err := r.limits.processors.Acquire(ctx, 1); err != nil {
		return rendering{}, context.Cause(ctx)
	}
	defer r.limits.processors.Release(1)
	made, err := r.render(steps.Reader(ctx, content.Reader()), h)
	if err != nil && ctx.Err() != nil {
		return rendering{}, context.Cause(ctx)
	}
	return made, err
}
