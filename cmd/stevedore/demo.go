package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/dataset"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
)

type demoCommand struct {
	Dir string `help:"Directory to put everything into, new or empty; by default a new one among the temporary files." placeholder:"DIR"`
}

// Run draws a data set, runs the four jobs on it, two of them twice, and
// compares all that comes out with what is known of the drawings.
func (d demoCommand) Run(ctx context.Context, c console) error {
	dir, err := d.directory()
	if err != nil {
		return err
	}
	if err := dataset.Write(dir); err != nil {
		return err
	}
	cfg, err := load(c.environ)
	if err != nil {
		return err
	}
	here, err := cfg.startLocal(ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer here.stop()
	_, _ = fmt.Fprintf(c.out, "A queue, a worker and a bucket of %d drawn objects, all on this machine.\n\n", dataset.Count().Keys)
	shown := newTable(c.out)
	shown.AppendHeader(table.Row{"job", "took", "result"})
	wrong := perform(ctx, here.client, c, tasks.Storage{Provider: "file", Bucket: dir}, shown)
	shown.Render()
	if wrong = errors.Join(wrong, inspect(dir)); wrong != nil {
		return fmt.Errorf("the demo did not come out right (%s): %w", dir, wrong)
	}
	_, _ = fmt.Fprintf(c.out, "\nEverything is as it should be. Look around:\n"+
		"  the images       %[1]s/scenes\n  the manifest     %[1]s/scenes/manifest.jsonl\n"+
		"  the thumbnails   %[1]s/scenes/.stevedore/thumbnails\n  the COCO export  %[1]s/%[2]s\n", dir, exportKey)
	return nil
}

func (d demoCommand) directory() (string, error) {
	if d.Dir == "" {
		return os.MkdirTemp("", "stevedore-demo-")
	}
	if there, err := os.ReadDir(d.Dir); err == nil && len(there) > 0 {
		return "", invalid(fmt.Errorf("--dir %s: is not empty", d.Dir))
	}
	return filepath.Abs(d.Dir)
}

const exportKey = "exports/scenes-coco.zip"

// step is one job of the demo and what its result must be.
type step struct {
	job  tasks.Job
	want func(tasks.Result, dataset.Facts) bool
}

func steps(all tasks.Storage) []step {
	scenes := all
	scenes.Prefix = dataset.Prefix
	manifest, thumbnails := tasks.BuildManifest{Source: scenes}, tasks.GenerateThumbnails{Source: scenes}
	return []step{
		{tasks.VerifyConnection{Storage: scenes, Need: tasks.Need{Read: true, Write: true}}, verified},
		{manifest, manifestOf(false)}, {thumbnails, thumbnailsOf(false)}, {cocoExport(all), exported},
		{manifest, manifestOf(true)}, {thumbnails, thumbnailsOf(true)},
	}
}

func cocoExport(s tasks.Storage) tasks.Job {
	return tasks.ExportAnnotations{
		Source: s, Annotations: tasks.Annotations{Key: dataset.AnnotationsKey, Format: tasks.FormatCVATImages},
		Format: tasks.FormatCOCOInstances, Key: exportKey, IncludeImages: true,
	}
}

func verified(r tasks.Result, _ dataset.Facts) bool { return r.(tasks.VerifyConnectionResult).OK }

func manifestOf(unchanged bool) func(tasks.Result, dataset.Facts) bool {
	return func(r tasks.Result, f dataset.Facts) bool {
		m := r.(tasks.BuildManifestResult)
		return m.Entries == int64(f.Images) && m.Failed == int64(f.Corrupt) && m.Unchanged == unchanged
	}
}

func thumbnailsOf(unchanged bool) func(tasks.Result, dataset.Facts) bool {
	return func(r tasks.Result, f dataset.Facts) bool {
		t := r.(tasks.GenerateThumbnailsResult)
		made := t.Written
		if unchanged {
			made = t.Unchanged
		}
		return made == int64(f.Images) && t.Written+t.Unchanged == made && t.Failed == int64(f.Corrupt)
	}
}

func exported(r tasks.Result, f dataset.Facts) bool {
	e := r.(tasks.ExportAnnotationsResult)
	return e.Images == int64(f.Images) && e.Annotations == int64(f.Objects) && e.Categories == int64(f.Labels) && e.Failed == 0
}

// perform enqueues each job as a service would, follows it, and adds its row.
func perform(ctx context.Context, client *producer.Client, c console, bucket tasks.Storage, t table.Writer) error {
	var wrong []error
	for _, step := range steps(bucket) {
		id, err := client.Enqueue(ctx, step.job)
		if err != nil {
			return err
		}
		p := newProgress(c.err)
		s, err := client.Wait(ctx, id, p.show)
		p.end()
		if err != nil {
			return err
		}
		r, err := producer.Result(s)
		text := "failed"
		switch {
		case err != nil:
			err = fmt.Errorf("%s: %+v", s.Kind, s.Failure)
		case !step.want(r, dataset.Count()):
			err = fmt.Errorf("%s: unexpected result: %+v", s.Kind, r)
		}
		if r != nil {
			text = r.Summary()
		}
		wrong = append(wrong, err)
		t.AppendRow(table.Row{s.Kind, s.Finished.Sub(s.Started).Round(time.Millisecond), text})
	}
	return errors.Join(wrong...)
}

// inspect opens what the jobs have left.
func inspect(dir string) error {
	facts := dataset.Count()
	z, err := zip.OpenReader(filepath.Join(dir, filepath.FromSlash(exportKey)))
	if err != nil {
		return err
	}
	defer func() { _ = z.Close() }()
	lines, err := os.ReadFile(filepath.Join(dir, "scenes", "manifest.jsonl"))
	if err != nil {
		return err
	}
	thumbnails, err := decodeAll(filepath.Join(dir, "scenes", ".stevedore", "thumbnails"))
	if n := bytes.Count(lines, []byte("\n")); n != facts.Images+2 {
		err = errors.Join(err, fmt.Errorf("manifest.jsonl has %d lines, not %d", n, facts.Images+2))
	}
	if thumbnails != facts.Images {
		err = errors.Join(err, fmt.Errorf("%d thumbnails, not %d", thumbnails, facts.Images))
	}
	return err
}

// decodeAll counts the JPEG files below a directory, and fails at one that
// does not open.
func decodeAll(dir string) (n int, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".jpg") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n++
		_, err = jpeg.Decode(bytes.NewReader(data))
		return err
	})
	return n, err
}
