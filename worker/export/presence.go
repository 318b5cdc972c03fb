package export

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// maxGap is how many listed objects may pass without one that is wanted
// before asking for the next wanted one directly is cheaper than listing on:
// about a page.
const maxGap = 1000

// wanted is an image to find in the source.
type wanted struct {
	key string
	im  *entry
}

// checkPresence leaves out the images that the source does not hold, each
// with its problem, before any file that names them is written (GEN-11). It
// lists the source rather than ask for each image, and skips where it holds
// much else. When there are images and the source has none of them, that is
// the job's failure.
func (x *exporter) checkPresence(ctx context.Context) error {
	var listed, hidden []wanted
	for i := range x.images {
		im := &x.images[i]
		switch key := x.key(im); {
		case im.out:
		case strings.HasPrefix(key, x.job.Source.Prefix):
			listed = append(listed, wanted{key, im})
		default: // listings show only what starts with the prefix, but its whole directory may be read
			hidden = append(hidden, wanted{key, im})
		}
	}
	slices.SortStableFunc(listed, func(a, b wanted) int { return cmp.Compare(a.key, b.key) })
	if err := x.findListed(ctx, listed); err != nil {
		return err
	}
	if _, err := job.Each(ctx, hidden, max(1, x.env.Parallel), x.stat); err != nil {
		return err
	}
	return x.nonePresent(append(listed, hidden...))
}

// findListed walks the sorted images and the sorted listing side by side.
func (x *exporter) findListed(ctx context.Context, list []wanted) error {
	for len(list) > 0 {
		if _, err := x.stat(ctx, list[0]); err != nil {
			return err
		}
		after := list[0].key
		list = mark(list, after, list[0].im.problems)
		if len(list) == 0 {
			return nil
		}
		var err error
		if list, err = x.follow(ctx, after, list); err != nil {
			return err
		}
	}
	return nil
}

// follow lists on after a key until the listing ends, all images are found,
// or maxGap objects were of no use. It returns the images still to look for.
func (x *exporter) follow(ctx context.Context, after string, list []wanted) ([]wanted, error) {
	gap := 0
	for o, err := range x.source.List(ctx, providers.ListOptions{Prefix: x.job.Source.Prefix, After: after}) {
		if err != nil {
			return nil, err
		}
		for len(list) > 0 && list[0].key < o.Key {
			list = mark(list, list[0].key, x.missing())
		}
		gap++
		if len(list) > 0 && list[0].key == o.Key {
			list, gap = mark(list, o.Key, problems{}), 0
		}
		if len(list) == 0 || gap == maxGap {
			return list, nil
		}
	}
	for len(list) > 0 {
		list = mark(list, list[0].key, x.missing())
	}
	return nil, nil
}

// mark drops the images of a key from the front of the list, each marked with
// the problems that were found with the key.
func mark(list []wanted, key string, found problems) []wanted {
	for len(list) > 0 && list[0].key == key {
		list[0].im.problems, list[0].im.out = found, !found.empty()
		list = list[1:]
	}
	return list
}

func (x *exporter) missing() (p problems) {
	p.add(problemf(job.CodeNotFound, "no such image in %s; left out", x.job.Source))
	return p
}

// stat asks for one image. Only what concerns more than this image is an
// error.
func (x *exporter) stat(ctx context.Context, w wanted) (struct{}, error) {
	var p problems
	if !strings.HasPrefix(w.key, x.job.Source.Dir()) {
		p.add(problemf(job.CodeNotFound, "outside the source, which is confined to %q; left out", x.job.Source.Dir()))
		mark([]wanted{w}, w.key, p)
		return struct{}{}, nil
	}
	_, err := x.source.Stat(ctx, w.key)
	switch {
	case err == nil:
	case errors.Is(err, providers.NotFound) && !ofBucket(err):
		p = x.missing()
	case errors.Is(err, providers.Invalid) && !ofBucket(err):
		p.add(problemf(job.CodeInvalid, "%v; left out", err))
	case errors.Is(err, providers.Denied):
		p.add(problemf(job.CodeDenied, "%v; left out", err))
	default:
		return struct{}{}, err
	}
	mark([]wanted{w}, w.key, p)
	return struct{}{}, nil
}

// ofBucket tells trouble with the bucket from trouble with one object: the
// error names no key.
func ofBucket(err error) bool {
	var e *providers.Error
	return errors.As(err, &e) && e.Key == ""
}

// nonePresent fails the job when every image that was looked for is missing:
// the payload points to the wrong place.
func (x *exporter) nonePresent(all []wanted) error {
	if len(all) == 0 || slices.ContainsFunc(all, func(w wanted) bool { return !w.im.out }) {
		return nil
	}
	kind, first := providers.NotFound, all[0].im.problems.list[0]
	if first.code == job.CodeDenied {
		kind = providers.Denied
	}
	return &providers.Error{
		Op: "stat", Bucket: x.job.Source.Bucket, Key: all[0].key, Kind: kind, Code: "NoImages",
		Detail: fmt.Sprintf("none of the annotations' %d images can be read: %s", len(all), first.message),
		Fix: "Set annotations.image_directory to what the bucket has before the image names, and check the source's bucket, " +
			"prefix and rights.",
	}
}
