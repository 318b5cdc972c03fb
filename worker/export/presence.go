package export

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/keysearch"
)

// soughtImage is an image to find in the source.
type soughtImage struct {
	key string
	im  *imageRecord
}

// checkPresence leaves out the images that the source does not have,
// before any file that names them is written (GEN-11). It lists the
// source instead of asking for each image. But no image is left out
// because a listing does not have it: the source is asked for it by its
// name. If the source has none of the images, checkPresence fails.
func (s *imageSource) checkPresence(ctx context.Context, images []imageRecord) error {
	var sought []soughtImage
	for i := range images {
		if im := &images[i]; !im.leftOut {
			sought = append(sought, soughtImage{s.directory.key(im), im})
		}
	}
	listed, err := s.findListed(ctx, sought)
	if err != nil {
		return err
	}
	unlisted := map[string][]*imageRecord{}
	for _, one := range sought {
		if !listed[one.key] {
			unlisted[one.key] = append(unlisted[one.key], one.im)
		}
	}
	keys := slices.SortedFunc(maps.Keys(unlisted), keyorder.Bytes.Compare)
	found, err := job.Each(ctx, keys, s.parallel, s.stat)
	if err != nil {
		return err
	}
	for i, key := range keys {
		for _, im := range unlisted[key] {
			im.problems, im.leftOut = found[i], !found[i].empty()
		}
	}
	return s.checkAnyPresent(sought)
}

// findListed returns the keys of the images that a listing of the
// source has. The prefix may end within a name: a listing shows only
// what starts with it, but the rest of the directory can be read. The
// first image is not looked for, so that a single one takes no listing.
func (s *imageSource) findListed(
	ctx context.Context, sought []soughtImage,
) (map[string]bool, error) {
	var keys []string
	for _, one := range sought {
		if strings.HasPrefix(one.key, s.storage.Prefix) {
			keys = append(keys, one.key)
		}
	}
	order := providers.OrderOf(s.bucket)
	slices.SortFunc(keys, order.Compare)
	if keys = slices.Compact(keys); len(keys) > 0 {
		keys = keys[1:]
	}
	search := keysearch.Search{
		Prefix: s.storage.Prefix,
		NameOf: func(key string) (string, bool) { return key, true },
	}
	found, err := search.Find(ctx, s.bucket, keys)
	listed := make(map[string]bool, len(found))
	for key := range found {
		listed[key] = true
	}
	return listed, err
}

// stat asks for one image and returns its problem. It fails only if the
// problem is not of this image alone.
func (s *imageSource) stat(ctx context.Context, key string) (p problems, err error) {
	if !strings.HasPrefix(key, s.storage.Dir()) {
		s.listed.add(&p, annotation.Problemf(job.CodeNotFound,
			"outside the source, which is confined to %q; left out", s.storage.Dir()))
		return p, nil
	}
	_, err = s.bucket.Stat(ctx, key)
	var problem *annotation.Problem
	switch {
	case err == nil:
		return p, nil
	case errors.Is(err, providers.NotFound) && !concernsBucket(err):
		problem = annotation.Problemf(job.CodeNotFound, "no such image in %s; left out", s.storage)
	case errors.Is(err, providers.Invalid) && !concernsBucket(err):
		problem = annotation.Problemf(job.CodeInvalid, "%v; left out", err)
	case errors.Is(err, providers.Denied):
		problem = annotation.Problemf(job.CodeDenied, "%v; left out", err)
	default:
		return p, err
	}
	s.listed.add(&p, problem)
	return p, nil
}

// concernsBucket reports whether an error concerns the whole bucket: it
// names no key.
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
