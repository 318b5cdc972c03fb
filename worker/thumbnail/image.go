package thumbnail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/job"
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

// item makes the thumbnail of one object, unless the bucket already
// has it.
func (r *run) item(ctx context.Context, o providers.Object) (job.Item, error) {
	if skips(r.job, o.Key) {
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
	releaseFile, err := r.memory.acquireFile(ctx, o.Size)
	if err != nil {
		return rendering{}, 0, err
	}
	defer releaseFile()
	data, head, err := fetch(ctx, r.from, o)
	read = int64(len(data))
	if err != nil {
		return rendering{}, read, imagehead.RefineError(o.Key, err)
	}

	releasePixels, err := r.memory.acquirePixels(ctx, head)
	if err != nil {
		return rendering{}, read, err
	}
	defer releasePixels()
	made, err = r.render(data, head)
	return made, read, err
}
