// Package export is the job export-annotations: it reads annotations
// in one format, writes them in another, and stores the data set in a
// bucket as one zip, with the images if they are wanted.
//
// It knows which images are exported, under which names, and how they
// are turned upright. Formats are in the folder formats, the neutral
// model is in annotation, and archives are in pack. It knows no cloud
// and no queue.
//
// Nothing is stored on disk. Memory holds a record of each image and
// the shapes of one image. The document is read once to learn of the
// images, and once more for each subset.
//
// Ids such as COCO-08 and GEN-03 name the rules that the tests check.
package export

import (
	"context"
	"errors"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/export/formats"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// Job implements job.Single. Make one with New. It is safe for
// concurrent use.
type Job struct{ memory *memory.Budget }

// New makes the job. All its runs in this process draw on the budget.
func New(budget *memory.Budget) Job { return Job{budget} }

var _ job.Single[tasks.ExportAnnotations] = Job{}

// Run makes the zip and stores it under j.Key. It overwrites what is
// there: to find out that nothing has changed, it would have to read
// every image twice. Running twice on the same input stores the same
// bytes.
//
// The images are read after the annotations that name them are written.
// If the source refuses to give one out, Run begins again without it.
//
// Each image with a problem becomes one line of the error list. The
// line says that the image is left out, or which of its shapes are,
// or what is unusual about it. A document in another format fails the
// job as Invalid. If the bucket has none of the images, the job fails
// as NotFound.
func (e Job) Run(
	ctx context.Context, j tasks.ExportAnnotations, env job.Env,
) (tasks.Result, error) {
	r := &run{
		job: j, env: env, memory: e.memory, listed: &problemRoom{},
		images: imageDirectory(j.Annotations.ImageDirectory),
	}
	defer r.close()
	if err := r.open(ctx); err != nil {
		return nil, err
	}

	data, err := r.survey(ctx)
	if err != nil {
		return nil, err
	}
	env.Progress.Expect(int64(len(data.images)))
	if r.source != nil {
		if err := r.source.checkPresence(ctx, data.images); err != nil {
			return nil, err
		}
	}
	progress := &imageProgress{Progress: env.Progress, directory: r.images}
	for i := range data.images {
		if im := &data.images[i]; im.leftOut {
			progress.finish(im, 0)
		}
	}
	if err := nameFiles(ctx, data); err != nil {
		return nil, err
	}

	for {
		result, err := r.publish(ctx, data, progress)
		var refused *refusedError
		if r.source == nil || !errors.As(err, &refused) {
			return result, err
		}
		if err := r.source.leaveOutRefused(ctx, data, refused); err != nil {
			return nil, err
		}
		for i := range data.images {
			if im := &data.images[i]; im.leftOut {
				progress.finish(im, 0)
			}
		}
	}
}

// run is one run of the job.
type run struct {
	job    tasks.ExportAnnotations
	env    job.Env
	memory *memory.Budget
	images imageDirectory
	listed *problemRoom

	document *document
	writer   formats.Writer
	source   *imageSource // nil unless images are included
	target   providers.Bucket
	opened   []providers.Bucket
	release  func() // gives back what the document takes of the memory budget; may be nil
}

// open finds the formats and opens the buckets.
func (r *run) open(ctx context.Context) (err error) {
	var found bool
	if r.writer, found = formats.FindWriter(r.job.Format); !found {
		return unknownFormat(r.job.Format)
	}
	storage, key := r.job.Input()
	r.document = &document{name: storage.Bucket, key: key, format: r.job.Annotations.Format}
	if r.document.bucket, err = r.openBucket(ctx, storage); err != nil {
		return err
	}
	to, _ := r.job.Target()
	r.target, err = r.opens(providers.OpenTarget(ctx, to, r.env.Open))
	if err != nil || !r.job.IncludeImages {
		return err
	}
	b, err := r.openBucket(ctx, r.job.Source)
	if err == nil {
		r.source = &imageSource{
			bucket: b, storage: r.job.Source, directory: r.images, parallel: r.env.Parallel,
			listed: r.listed, memory: r.memory,
		}
	}
	return err
}

func (r *run) openBucket(ctx context.Context, s tasks.Storage) (providers.Bucket, error) {
	return r.opens(r.env.Open(ctx, s))
}

// opens keeps a bucket until close.
func (r *run) opens(b providers.Bucket, err error) (providers.Bucket, error) {
	if err == nil {
		r.opened = append(r.opened, b)
	}
	return b, err
}

func (r *run) close() {
	if r.release != nil {
		r.release()
	}
	for _, b := range r.opened {
		_ = b.Close()
	}
}

// unknownFormat returns the error for a format that the contract has
// and this worker does not.
func unknownFormat(name string) error {
	return &providers.Error{
		Op: "export", Kind: providers.Invalid, Code: "UnknownFormat",
		Err: errors.New("this worker does not know the format " + name),
		Fix: "Update the workers to the version of the producer.",
	}
}
