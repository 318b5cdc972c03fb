package export

import (
	"context"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// refusedError says that the source has an image and does not give it
// out: it is archived, for example, or these credentials may not read
// it.
type refusedError struct {
	key string
	err error
}

// Error returns the text of the source's error.
func (e *refusedError) Error() string { return e.err.Error() }

// Unwrap returns the source's error.
func (e *refusedError) Unwrap() error { return e.err }

// asRefused makes a refusedError of an error that concerns one image
// alone and that does not pass. It returns other errors as they are.
func asRefused(key string, err error) error {
	if line, ok := job.AsObjectError(key, err); ok && isRefusal(line.Code) {
		return &refusedError{key, err}
	}
	return err
}

func isRefusal(code string) bool { return code == job.CodeDenied || code == job.CodeInvalid }

// leaveOutRefused leaves out all images that the source refuses, so
// that the archive can be made anew. It asks for one byte of each
// image, because listings do not show which ones are refused. If all
// are, or the refused one is not among them, leaveOutRefused fails.
func (s *imageSource) leaveOutRefused(
	ctx context.Context, data *dataset, refused *refusedError,
) error {
	var exported []*imageRecord
	for im := range data.exported() {
		data.listed.clear(&im.problems) // those of the archive that was not finished
		exported = append(exported, im)
	}
	_, err := job.Each(ctx, exported, s.parallel, s.checkReadable)
	if err != nil {
		return err
	}
	left, found := 0, false
	for _, im := range exported {
		found = found || im.leftOut && s.directory.key(im) == refused.key
		if !im.leftOut {
			left++
		}
	}
	if left == 0 || !found {
		return refused.err
	}
	return nil
}

// checkReadable reads one byte of an image, and leaves the image out if
// the source refuses that.
func (s *imageSource) checkReadable(ctx context.Context, im *imageRecord) (struct{}, error) {
	key := s.directory.key(im)
	r, err := s.bucket.Open(ctx, key, providers.ReadOptions{Length: 1})
	if err == nil {
		return struct{}{}, r.Close()
	}
	line, ok := job.AsObjectError(key, err)
	if !ok {
		return struct{}{}, err
	}
	s.listed.add(&im.problems, annotation.Problemf(line.Code, "%v; left out", err))
	im.leftOut = true
	return struct{}{}, nil
}
