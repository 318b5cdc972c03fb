package thumbnail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
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

// made is what came of one image.
type made struct {
	entry   entry
	written bool
	asked   bool // the image was read, or tried to
	fault   *tasks.ObjectError
	err     error // behind the fault
}

// image sees to the thumbnail of one image. Its error is about the job's surroundings; the image's own is in the answer.
func (r *run) image(ctx context.Context, o providers.Object) (made, error) {
	m := made{entry: entry{Key: o.Key, ETag: o.ETag}}
	if err := check(o); err != nil {
		return m.failed(err)
	}
	stem := r.stem(o.Key, o.ETag)
	if name, ok := r.there[stem]; ok {
		m.entry.Thumbnail = name
		_, m.entry.Width, m.entry.Height, _ = parseName(name)
		r.progress.Done(0)
		return m, nil
	}
	m.asked = true
	thumb, err := r.produce(ctx, o)
	if err != nil {
		return m.failed(err)
	}
	m.entry.Width, m.entry.Height = thumb.width, thumb.height
	m.entry.Thumbnail = fullName(stem, thumb.width, thumb.height)
	if err := r.put(ctx, m.entry.Thumbnail, thumb.jpeg); err != nil {
		return m.failed(err)
	}
	m.written = true
	r.progress.Done(o.Size + int64(len(thumb.jpeg)))
	return m, nil
}

// produce reads an image and makes its thumbnail, within the memory there is.
func (r *run) produce(ctx context.Context, o providers.Object) (thumb, error) {
	release, err := r.memory.file(ctx, o.Size)
	if err != nil {
		return thumb{}, err
	}
	defer release()
	data, head, err := fetch(ctx, r.from, o)
	if err != nil {
		return thumb{}, imagehead.Blame(o.Key, err)
	}
	done, err := r.memory.pixels(ctx, head)
	if err != nil {
		return thumb{}, err
	}
	defer done()
	return r.render(data, head)
}

// writeError marks an error of the destination: a refusal to write is never about one image alone, save that its name is.
type writeError struct{ error }

func (e writeError) Unwrap() error { return e.error }

func (r *run) put(ctx context.Context, name string, jpeg []byte) error {
	_, err := r.to.Put(ctx, name, bytes.NewReader(jpeg), providers.WriteOptions{ContentType: "image/jpeg"})
	if err == nil {
		return nil
	}
	return writeError{err}
}

// failed decides what an error is about: a fault of the image, or an error of the job.
func (m made) failed(err error) (made, error) {
	fault, ok := job.Fault(m.entry.Key, err)
	if errors.As(err, new(writeError)) && !errors.Is(err, providers.Invalid) {
		ok = false
	}
	if !ok {
		return made{}, err
	}
	m.fault, m.err = &fault, err
	return m, nil
}

// assemble puts the lines together in key order; the error list too, so that it is the same every time.
func assemble(all []made, progress *job.Progress, s job.Shard) (job.Part, error) {
	part := job.Part{Tally: map[string]int64{}}
	var denials job.Denials
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	enc.SetEscapeHTML(false)
	for _, m := range all {
		if m.asked {
			denials.Note(m.fault, m.err)
		}
		if m.fault != nil {
			progress.Reject(*m.fault)
			part.Tally[tallyFailed]++
			continue
		}
		if err := enc.Encode(m.entry); err != nil {
			return job.Part{}, fmt.Errorf("index line of %s: %w", m.entry.Key, err)
		}
		if m.written {
			part.Tally[tallyWritten]++
		} else {
			part.Tally[tallyUnchanged]++
		}
	}
	part.Data = lines.Bytes()
	return part, denials.Err(s)
}
