package tasks

import (
	"github.com/stevedore-jobs/stevedore/tasks/fields"
	"github.com/stevedore-jobs/stevedore/tasks/globs"
)

// defaultMaxFailed is the share of the images that may fail if the
// payload gives none.
const defaultMaxFailed = 0.2

// FailedShare returns which share of the images may fail, the
// default filled in.
func (j BuildManifest) FailedShare() float64 {
	if j.MaxFailed == nil {
		return defaultMaxFailed
	}
	return *j.MaxFailed
}

func (j BuildManifest) checkSelection(errs *fields.Errors) {
	globs.Check(errs, "include", j.Include)
	globs.Check(errs, "exclude", j.Exclude)
	if j.MinSize < 0 {
		errs.Add("min_size", "%d is negative; give a number of bytes", j.MinSize)
	}
	switch {
	case j.MaxSize < 0:
		errs.Add("max_size", "%d is negative; give a number of bytes", j.MaxSize)
	case j.MaxSize > 0 && j.MaxSize < j.MinSize:
		errs.Add("max_size", "%d is less than min_size, %d: no object has such a size",
			j.MaxSize, j.MinSize)
	}
	if share := j.FailedShare(); share < 0 || share > 1 {
		errs.Add("max_failed", "%v is not within 0 to 1; 0.2 means a fifth of the images", share)
	}
}
