package export

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// maxGap is how many listed objects in a row may be useless. After
// that, a request for the next image costs less than more of the
// listing: it is about a page.
const maxGap = 1000

// soughtImage is an image to find in the source.
type soughtImage struct {
	key string
	im  *imageRecord
}

// checkPresence leaves out the images that the source does not have,
// before any file that names them is written (GEN-11). It lists the
// source instead of asking for each image, and skips parts with many
// other objects. If the source has none of the images, it fails.
func (s *imageSource) checkPresence(ctx context.Context, images []imageRecord) error {
	var listed, hidden []soughtImage
	for i := range images {
		im := &images[i]
		switch key := s.directory.key(im); {
		case im.leftOut:
		case strings.HasPrefix(key, s.storage.Prefix):
			listed = append(listed, soughtImage{key, im})
		default:
			// The prefix may end within a name. A listing shows only
			// what starts with it, but the rest of the directory can
			// be read.
			hidden = append(hidden, soughtImage{key, im})
		}
	}
	slices.SortStableFunc(listed, func(a, b soughtImage) int { return cmp.Compare(a.key, b.key) })
	if err := s.findListed(ctx, listed); err != nil {
		return err
	}
	if _, err := job.Each(ctx, hidden, s.parallel, s.stat); err != nil {
		return err
	}
	return s.checkAnyPresent(append(listed, hidden...))
}

// findListed walks through the sorted images and the listing side by
// side.
func (s *imageSource) findListed(ctx context.Context, sought []soughtImage) error {
	for len(sought) > 0 {
		first := sought[0]
		if _, err := s.stat(ctx, first); err != nil {
			return err
		}
		sought = mark(sought, first.key, first.im.problems)
		if len(sought) == 0 {
			return nil
		}
		var err error
		if sought, err = s.followListing(ctx, first.key, sought); err != nil {
			return err
		}
	}
	return nil
}

// followListing lists from a key on until the listing ends, all
// images are found, or maxGap objects in a row were useless. It
// returns the images that are still sought.
func (s *imageSource) followListing(
	ctx context.Context, after string, sought []soughtImage,
) ([]soughtImage, error) {
	gap := 0
	opts := providers.ListOptions{Prefix: s.storage.Prefix, After: after}
	for o, err := range s.bucket.List(ctx, opts) {
		if err != nil {
			return nil, err
		}
		for len(sought) > 0 && sought[0].key < o.Key {
			sought = mark(sought, sought[0].key, s.missing())
		}
		gap++
		if len(sought) > 0 && sought[0].key == o.Key {
			sought, gap = mark(sought, o.Key, problems{}), 0
		}
		if len(sought) == 0 || gap == maxGap {
			return sought, nil
		}
	}
	for len(sought) > 0 {
		sought = mark(sought, sought[0].key, s.missing())
	}
	return nil, nil
}

// mark gives the problems of a key to all images with that key, which
// are at the front of the list. It returns the rest of the list.
func mark(sought []soughtImage, key string, found problems) []soughtImage {
	for len(sought) > 0 && sought[0].key == key {
		sought[0].im.problems, sought[0].im.leftOut = found, !found.empty()
		sought = sought[1:]
	}
	return sought
}

func (s *imageSource) missing() (p problems) {
	p.add(annotation.Problemf(job.CodeNotFound, "no such image in %s; left out", s.storage))
	return p
}

// stat asks for one image. It fails only if the problem is not of
// this image alone.
func (s *imageSource) stat(ctx context.Context, one soughtImage) (struct{}, error) {
	var p problems
	if !strings.HasPrefix(one.key, s.storage.Dir()) {
		p.add(annotation.Problemf(job.CodeNotFound,
			"outside the source, which is confined to %q; left out", s.storage.Dir()))
		mark([]soughtImage{one}, one.key, p)
		return struct{}{}, nil
	}
	_, err := s.bucket.Stat(ctx, one.key)
	switch {
	case err == nil:
	case errors.Is(err, providers.NotFound) && !concernsBucket(err):
		p = s.missing()
	case errors.Is(err, providers.Invalid) && !concernsBucket(err):
		p.add(annotation.Problemf(job.CodeInvalid, "%v; left out", err))
	case errors.Is(err, providers.Denied):
		p.add(annotation.Problemf(job.CodeDenied, "%v; left out", err))
	default:
		return struct{}{}, err
	}
	mark([]soughtImage{one}, one.key, p)
	return struct{}{}, nil
}

// concernsBucket reports whether an error concerns the whole bucket:
// it names no key.
func concernsBucket(err error) bool {
	var e *providers.Error
	return errors.As(err, &e) && e.Key == ""
}

// checkAnyPresent fails if all sought images are missing: then the
// payload names the wrong place.
func (s *imageSource) checkAnyPresent(all []soughtImage) error {
	present := func(one soughtImage) bool { return !one.im.leftOut }
	if len(all) == 0 || slices.ContainsFunc(all, present) {
		return nil
	}
	kind, first := providers.NotFound, all[0].im.problems.list[0]
	if first.Code == job.CodeDenied {
		kind = providers.Denied
	}
	return &providers.Error{
		Op: "stat", Bucket: s.storage.Bucket, Key: all[0].key, Kind: kind, Code: "NoImages",
		Detail: fmt.Sprintf("none of the annotations' %d images can be read: %s",
			len(all), first.Message),
		Fix: "Set annotations.image_directory to what the bucket has before the image names, " +
			"and check the source's bucket, prefix and rights.",
	}
}
