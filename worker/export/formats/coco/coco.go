// Package coco writes annotations in the format COCO instances, as
// pycocotools, Detectron2 and others read it.
//
// It knows COCO's JSON and run lengths, and nothing of where
// annotations come from or where they go. Ids such as COCO-08 name
// the rules that the tests check.
package coco

import (
	"bufio"
	"context"
	"io"
	"strconv"

	"github.com/stevedore-jobs/stevedore/worker/asciijson"
	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// Writer writes COCO instances: one JSON file a subset. The zero
// value is ready.
type Writer struct{}

// AnnotationsPath returns annotations/instances_SUBSET.json
// (COCO-18).
func (Writer) AnnotationsPath(subset string) string {
	return "annotations/instances_" + subset + ".json"
}

// ImagePath returns images/SUBSET/FILE (COCO-18).
func (Writer) ImagePath(im annotation.Image) string {
	return "images/" + im.Subset + "/" + im.File
}

// head has no date and no URL, so that the same input gives the same
// bytes (GEN-10).
const head = `{"info":{"description":"CVAT annotations exported by Stevedore",` +
	`"url":"","version":"1.0","year":0,"contributor":"","date_created":""},` + "\n" +
	`"licenses":[],` + "\n" + `"images":`

// Write writes a subset's file, one object a line (COCO-01 to
// COCO-19). Ids start at 1 in every file. All files have the same
// categories, with those that no shape uses (GEN-05).
func (Writer) Write(ctx context.Context, w io.Writer, s annotation.Subset) error {
	out := &lists{w: bufio.NewWriterSize(w, 1<<16)}
	out.text(head)
	out.open()
	var id int64
	var work steps.Counter
	for im := range s.Images {
		id++
		out.item(appendImage(out.buf[:0], id, im))
		if err := work.Add(ctx, len(out.buf)); err != nil {
			return err
		}
	}
	out.close()

	out.text(",\n\"annotations\":")
	out.open()
	if err := writeAnnotations(ctx, out, s); err != nil {
		return err
	}
	out.close()

	out.text(",\n\"categories\":")
	out.open()
	for i, l := range s.Schema.Labels {
		out.item(appendCategory(out.buf[:0], int64(i)+1, l.Name))
	}
	out.close()
	out.text("}\n")
	return out.flush()
}

func writeAnnotations(ctx context.Context, out *lists, s annotation.Subset) error {
	var id int64
	var work steps.Counter
	masks := 0 // their work
	return s.Shapes(func(
		place int, im annotation.Image, sh annotation.Shape,
	) (*annotation.Problem, error) {
		in, problem, err := newInstance(ctx, sh, im.Width, im.Height)
		if problem != nil || err != nil {
			return problem, err
		}
		if masks += in.region.work(); masks > annotation.MaxMaskWork {
			return nil, annotation.TooLarge(annotation.MaxMaskWork, "columns and runs of masks")
		}
		id++
		in.id, in.imageID = id, int64(place)+1
		out.item(in.appendTo(out.buf[:0], out.spill))
		if err := work.Add(ctx, len(in.ring)+in.region.work()+len(out.buf)); err != nil {
			return nil, err
		}
		return nil, out.err
	})
}

func appendImage(b []byte, id int64, im annotation.Image) []byte {
	b = strconv.AppendInt(append(b, `{"id":`...), id, 10)
	b = strconv.AppendInt(append(b, `,"width":`...), int64(im.Width), 10)
	b = strconv.AppendInt(append(b, `,"height":`...), int64(im.Height), 10)
	return append(asciijson.Append(append(b, `,"file_name":`...), im.File), '}')
}

func appendCategory(b []byte, id int64, name string) []byte {
	b = strconv.AppendInt(append(b, `{"id":`...), id, 10)
	return append(asciijson.Append(append(b, `,"name":`...), name), `,"supercategory":""}`...)
}

// lists writes lists of JSON objects. It keeps the first error of its
// writer and then writes nothing more; flush returns that error.
type lists struct {
	w       *bufio.Writer
	buf     []byte // of the last item, to be used again
	items   int    // in the current list
	spilled bool   // a part of the current item is written
	err     error
}

func (l *lists) text(s string) {
	if l.err == nil {
		_, l.err = l.w.WriteString(s)
	}
}

func (l *lists) open() {
	l.items = 0
	l.text("[")
}

// item writes an item, or the rest of one that spill has begun.
func (l *lists) item(b []byte) {
	l.begin()
	l.write(b)
	l.spilled = false
	l.buf = b
}

// spill writes a part of an item if it is large, and returns the buffer
// for what follows.
func (l *lists) spill(b []byte) []byte {
	if len(b) < 1<<15 {
		return b
	}
	l.begin()
	l.write(b)
	return b[:0]
}

// begin begins an item, unless it has begun.
func (l *lists) begin() {
	if l.spilled {
		return
	}
	l.spilled = true
	if l.items++; l.items > 1 {
		l.text(",")
	}
	l.text("\n")
}

func (l *lists) write(b []byte) {
	if l.err == nil {
		_, l.err = l.w.Write(b)
	}
}

func (l *lists) close() {
	if l.items > 0 {
		l.text("\n")
	}
	l.text("]")
}

func (l *lists) flush() error {
	if l.err != nil {
		return l.err
	}
	return l.w.Flush()
}
