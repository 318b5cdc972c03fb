package export

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"slices"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// maxAhead is how many images are read ahead at most; each may hold maxHeld
// bytes.
const maxAhead = 8

// writeImages puts the images into the zip, sorted by their names in it. That
// an image went away since it was looked for is an error: the annotations
// that name it are already written.
func (x *exporter) writeImages(ctx context.Context, a archive) error {
	var list []*entry
	for i := range x.images {
		if !x.images[i].out {
			list = append(list, &x.images[i])
		}
	}
	slices.SortFunc(list, func(a, b *entry) int { return cmp.Compare(imageFile(a), imageFile(b)) })
	n := max(1, min(x.env.Parallel, maxAhead))
	fetched := job.Prefetch[*entry, *picture]{
		Do: x.fetch, Parallel: n, Ahead: n, Discard: func(p *picture) { _ = p.Close() },
	}
	for p, err := range fetched.Range(ctx, list) {
		if err != nil {
			return err
		}
		err := x.writePicture(a, p)
		_ = p.Close()
		if err != nil {
			return err
		}
		x.settle(p.im, p.size)
	}
	return nil
}

// writePicture writes an image upright, by default the very bytes that are
// stored.
func (x *exporter) writePicture(a archive, p *picture) error {
	orientation, err := p.inspect()
	if err == nil && orientation > 1 {
		err = p.read(p.size)
	}
	if err != nil {
		return x.broken(p, err)
	}
	if orientation > 1 {
		p.turn(orientation)
	}
	if p.whole() || orientation > 1 {
		return a.whole(imageFile(p.im), p.first)
	}
	body := &told{r: io.MultiReader(bytes.NewReader(p.first), p.body)}
	err = a.stream(imageFile(p.im), body)
	if body.err != nil {
		return x.broken(p, body.err)
	}
	return err
}

// turn replaces the content by the same image upright, or leaves it when it
// cannot be decoded.
func (p *picture) turn(orientation int) {
	upright, err := turnUpright(p.first, orientation)
	if err != nil {
		p.odd(imagehead.CodeCorrupt, "cannot be decoded to be turned upright: "+err.Error())
		return
	}
	p.first = upright
}

func (x *exporter) broken(p *picture, err error) error {
	return providers.Failed("get", x.job.Source.Bucket, x.key(p.im), err)
}

// told remembers the error of its reader, to tell it from the writer's.
type told struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (t *told) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if err != nil && err != io.EOF {
		t.err = err
	}
	return n, err
}
