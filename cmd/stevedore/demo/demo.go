// Package demo runs the four jobs on a data set that it draws, and
// compares their results with what it has drawn.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo/dataset"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/show"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// exportKey is the key of the exported annotations.
const exportKey = "exports/scenes-coco.zip"

// Run runs the jobs on the data set in a directory, two of them twice,
// and checks their results and their files.
func Run(ctx context.Context, c cli.Console, queue *producer.Client, dir string) error {
	const intro = "A queue, a worker and a bucket of %d drawn objects, all on this machine.\n\n"
	_, _ = fmt.Fprintf(c.Out, intro, dataset.Count().Keys)
	wrong := RunJobs(ctx, c, queue, tasks.Storage{Provider: "file", Bucket: dir})
	if wrong = errors.Join(wrong, checkFiles(dir)); wrong != nil {
		return fmt.Errorf("the demo gave wrong results (%s): %w", dir, wrong)
	}
	_, _ = fmt.Fprintf(c.Out, "\nEverything is as it should be. Look around:\n"+
		"  the images       %[1]s/scenes\n"+
		"  the manifest     %[1]s/scenes/manifest.jsonl\n"+
		"  the thumbnails   %[1]s/scenes/.stevedore/thumbnails\n"+
		"  the COCO export  %[1]s/%[2]s\n", dir, exportKey)
	return nil
}

// RunJobs enqueues each job on a bucket that holds the data set, as a
// service would, and prints a table of the results.
func RunJobs(
	ctx context.Context, c cli.Console, queue *producer.Client, bucket tasks.Storage,
) error {
	t := show.NewTable(c.Out, "job", "took", "result")
	defer t.Render()
	var wrong []error
	for _, s := range steps(bucket) {
		status, err := runJob(ctx, queue, s.job, c.Err)
		if err != nil {
			return err
		}
		r, err := s.check(status)
		wrong = append(wrong, err)
		text := "failed"
		if r != nil {
			text = r.Summary()
		}
		took := status.Finished.Sub(status.Started).Round(time.Millisecond)
		t.Row(status.Kind, took, text)
	}
	return errors.Join(wrong...)
}

func runJob(
	ctx context.Context, queue *producer.Client, j tasks.Job, w io.Writer,
) (tasks.Status, error) {
	id, err := queue.Enqueue(ctx, j)
	if err != nil {
		return tasks.Status{}, err
	}
	p := show.NewProgress(w)
	defer p.End()
	return queue.Wait(ctx, id, p.Show)
}
