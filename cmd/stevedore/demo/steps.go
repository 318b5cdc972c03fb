package demo

import (
	"fmt"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo/dataset"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// step is one job of the demo, and what is right as its result.
type step struct {
	job  tasks.Job
	want func(tasks.Result, dataset.Facts) bool
}

func steps(bucket tasks.Storage) []step {
	scenes := bucket
	scenes.Prefix = dataset.Prefix
	verify := tasks.VerifyConnection{Storage: scenes, Need: tasks.Need{Read: true, Write: true}}
	manifest := tasks.BuildManifest{Source: scenes}
	thumbnails := tasks.GenerateThumbnails{Source: scenes}
	export := tasks.ExportAnnotations{
		Source: bucket,
		Annotations: tasks.Annotations{
			Key:    dataset.AnnotationsKey,
			Format: tasks.FormatCVATImages,
		},
		Format:        tasks.FormatCOCOInstances,
		Key:           exportKey,
		IncludeImages: true,
	}
	return []step{
		{verify, verified},
		{manifest, manifestOf(false)},
		{thumbnails, thumbnailsOf(false)},
		{export, exported},
		{manifest, manifestOf(true)},
		{thumbnails, thumbnailsOf(true)},
	}
}

// check returns the result of a finished job, and an error if it is
// wrong.
func (s step) check(status tasks.Status) (tasks.Result, error) {
	r, err := producer.Result(status)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %+v", status.Kind, status.Failure)
	case !s.want(r, dataset.Count()):
		return r, fmt.Errorf("%s: unexpected result: %+v", status.Kind, r)
	}
	return r, nil
}

func verified(r tasks.Result, _ dataset.Facts) bool {
	return r.(tasks.VerifyConnectionResult).OK
}

func manifestOf(unchanged bool) func(tasks.Result, dataset.Facts) bool {
	return func(r tasks.Result, f dataset.Facts) bool {
		m := r.(tasks.BuildManifestResult)
		return m.Entries == int64(f.Images) && m.Failed == int64(f.Corrupt) &&
			m.Unchanged == unchanged
	}
}

func thumbnailsOf(unchanged bool) func(tasks.Result, dataset.Facts) bool {
	return func(r tasks.Result, f dataset.Facts) bool {
		t := r.(tasks.GenerateThumbnailsResult)
		written, same := int64(f.Images), int64(0)
		if unchanged {
			written, same = same, written
		}
		return t.Written == written && t.Unchanged == same && t.Failed == int64(f.Corrupt)
	}
}

func exported(r tasks.Result, f dataset.Facts) bool {
	e := r.(tasks.ExportAnnotationsResult)
	return e.Images == int64(f.Images) && e.Annotations == int64(f.Objects) &&
		e.Categories == int64(f.Labels) && e.Failed == 0
}
