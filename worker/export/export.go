// Package export carries out export-annotations: it reads CVAT for images 1.1
// XML and streams a COCO instances data set, with the images if they are
// asked for, to a bucket as one zip.
//
// It knows the two formats, how outlines and masks are turned from one into
// the other, and how to make a zip that is the same bytes for the same input.
// It knows no cloud and no queue. Nothing is kept on disk, and in memory only
// a line per image and the shapes of one image: the XML is read once to learn
// of the images and once more per subset.
//
// Ids such as COCO-08 and GEN-03 name the rules that the tests hold every
// export against.
package export

import (
	"context"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Job implements job.Single. The zero value is ready, holds nothing and may
// run at once any number of times.
type Job struct{}

// Run makes the zip and puts it under j.Key, over whatever is there:
// job.Publish would read every image twice to find out that nothing changed.
// Running twice on the same input stores the same bytes.
//
// An image that cannot be exported whole gives one line of the error list:
// not-found (it is left out), or what was left out of it or is odd about it
// (it is exported). A document that is no CVAT for images 1.1 is Invalid;
// when no image at all is in the bucket the job is NotFound.
func (Job) Run(ctx context.Context, j tasks.ExportAnnotations, env job.Env) (tasks.Result, error) {
	x := &exporter{job: j, env: env}
	defer x.close()
	if err := x.open(ctx); err != nil {
		return nil, err
	}
	if err := x.survey(ctx); err != nil {
		return nil, err
	}
	env.Progress.Expect(int64(len(x.images)))
	if j.IncludeImages {
		if err := x.checkPresence(ctx); err != nil {
			return nil, err
		}
	}
	for i := range x.images {
		if x.images[i].out {
			x.settle(&x.images[i], 0)
		}
	}
	nameFiles(x.images)
	return x.publish(ctx)
}

// exporter is one run.
type exporter struct {
	job tasks.ExportAnnotations
	env job.Env

	input  input
	source providers.Bucket // nil unless images are included
	target providers.Bucket

	schema  schema
	images  []entry  // in the document's order
	subsets []string // in the order of their files in the zip

	annotations, failed int64
}

// entry is what is remembered of an image between the passes over the
// document.
type entry struct {
	header
	file     string // exported name, relative to the subset's image directory
	out      bool   // not exported
	problems problems
}

func (x *exporter) open(ctx context.Context) error {
	storage, key := x.job.Input()
	in, err := x.env.Open(ctx, storage)
	if err != nil {
		return err
	}
	x.input = input{bucket: in, name: storage.Bucket, key: key}
	to, _ := x.job.Target()
	if x.target, err = x.env.Open(ctx, to); err != nil || !x.job.IncludeImages {
		return err
	}
	x.source, err = x.env.Open(ctx, x.job.Source)
	return err
}

func (x *exporter) close() {
	for _, b := range []providers.Bucket{x.input.bucket, x.target, x.source} {
		if b != nil {
			_ = b.Close()
		}
	}
}

// key is where an image lies in the source.
func (x *exporter) key(im *entry) string { return x.job.Annotations.ImageDirectory + im.name }

// settle closes an image's account: done, or one line on the error list.
func (x *exporter) settle(im *entry, bytes int64) {
	if im.problems.empty() {
		x.env.Progress.Done(bytes)
		return
	}
	x.failed++
	x.env.Progress.Reject(im.problems.line(x.key(im)))
}
