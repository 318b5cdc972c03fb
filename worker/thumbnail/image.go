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

// entry is a line of the index.
type entry struct {
	Key       string `json:"key"`       // of the image
	ETag      string `json:"etag"`      // of the version that is shown
	Thumbnail string `json:"thumbnail"` // key in the destination
	Width     int    `json:"width"`     // of the thumbnail, pixels
	Height    int    `json:"height"`
}

// line is the entry as the index has it.
func (e entry) line() ([]byte, error) {
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return nil, fmt.Errorf("index line of %s: %w", e.Key, err)
	}
	return line.Bytes(), nil
}

var errNoEntry = errors.New("no line of an index")

// keyOf is the key of a line of the index, by which its lines are in order.
func keyOf(line []byte) (string, error) {
	var e entry
	if err := json.Unmarshal(line, &e); err != nil {
		return "", fmt.Errorf("%w: %w", errNoEntry, err)
	}
	if e.Key == "" {
		return "", errNoEntry
	}
	return e.Key, nil
}

// item sees to the thumbnail of one object.
func (r *run) item(ctx context.Context, o providers.Object) (job.Item, error) {
	if skips(r.job, o.Key) {
		return job.Item{Tally: tallySkipped}, nil
	}
	if err := check(o); err != nil {
		return job.Item{}, err
	}
	e, item := entry{Key: o.Key, ETag: o.ETag}, job.Item{Tally: tallyUnchanged}
	stem := r.stem(o.Key, o.ETag)
	if name, ok := r.there[stem]; ok {
		e.Thumbnail = name
		_, e.Width, e.Height, _ = parseName(name)
	} else {
		thumb, read, err := r.produce(ctx, o)
		if err != nil {
			return job.Item{Bytes: read}, err
		}
		e.Width, e.Height = thumb.width, thumb.height
		e.Thumbnail = fullName(stem, thumb.width, thumb.height)
		opts := providers.WriteOptions{ContentType: "image/jpeg"}
		if _, err := r.to.Put(ctx, e.Thumbnail, bytes.NewReader(thumb.jpeg), opts); err != nil {
			return job.Item{Bytes: read}, err
		}
		item.Tally, item.Bytes = tallyWritten, read+int64(len(thumb.jpeg))
	}
	line, err := e.line()
	item.Data = line
	return item, err
}

// produce reads an image and makes its thumbnail, within the memory there is.
func (r *run) produce(ctx context.Context, o providers.Object) (t thumb, read int64, err error) {
	release, err := r.memory.file(ctx, o.Size)
	if err != nil {
		return thumb{}, 0, err
	}
	defer release()
	data, head, err := fetch(ctx, r.from, o)
	read = int64(len(data))
	if err != nil {
		return thumb{}, read, imagehead.Blame(o.Key, err)
	}
	done, err := r.memory.pixels(ctx, head)
	if err != nil {
		return thumb{}, read, err
	}
	defer done()
	t, err = r.render(data, head)
	return t, read, err
}
