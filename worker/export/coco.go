package export

import (
	"bufio"
	"context"
	"io"
	"strconv"
)

// annotationsFile is the name in the zip of a subset's annotations, imageFile
// of one of its images (COCO-18).
func annotationsFile(subset string) string { return "annotations/instances_" + subset + ".json" }

func imageFile(im *entry) string { return "images/" + im.subset + "/" + im.file }

// info never tells when or where a file was made: the same input gives the
// same bytes (GEN-10).
const cocoHead = `{"info":{"description":"CVAT annotations exported by Stevedore","url":"","version":"1.0","year":0,` +
	`"contributor":"","date_created":""},` + "\n" + `"licenses":[],` + "\n" + `"images":`

// writeCOCO writes one subset as COCO instances (COCO-01 to COCO-19), one
// object a line. Ids count from 1 in every file; categories are the same in
// all of them, declared and never used ones too (GEN-05).
func (x *exporter) writeCOCO(ctx context.Context, w io.Writer, subset string) error {
	out := &lister{w: bufio.NewWriterSize(w, 1<<16)}
	out.text(cocoHead)
	out.open()
	var id int64
	for i := range x.images {
		if im := &x.images[i]; !im.out && im.subset == subset {
			id++
			out.item(appendImage(out.buf[:0], id, im))
		}
	}
	out.close()
	out.text(",\n\"annotations\":")
	out.open()
	if err := x.writeInstances(ctx, out, subset); err != nil {
		return err
	}
	out.close()
	out.text(",\n\"categories\":")
	out.open()
	for i, l := range x.schema.labels {
		b := strconv.AppendInt(append(out.buf[:0], `{"id":`...), int64(i)+1, 10)
		out.item(append(appendText(append(b, `,"name":`...), l.name), `,"supercategory":""}`...))
	}
	out.close()
	out.text("}\n")
	return out.flush()
}

func appendImage(b []byte, id int64, im *entry) []byte {
	b = strconv.AppendInt(append(b, `{"id":`...), id, 10)
	b = strconv.AppendInt(append(b, `,"width":`...), int64(im.width), 10)
	b = strconv.AppendInt(append(b, `,"height":`...), int64(im.height), 10)
	return append(appendText(append(b, `,"file_name":`...), im.file), '}')
}

// writeInstances passes over the document and writes the shapes of a subset's
// images. It runs once per subset and sees each image in one of them, so each
// problem is found once.
func (x *exporter) writeInstances(ctx context.Context, out *lister, subset string) error {
	var at int
	var id, imageID int64
	_, err := x.input.scan(ctx, func(r *reader, _ header) error {
		im := &x.images[at]
		at++
		if im.out || im.subset != subset {
			return nil
		}
		imageID++
		err := r.elements(func(e element) error {
			sh, bad := shapeOf(e, x.schema)
			var in instance
			if bad == nil {
				in, bad = instanceOf(sh, im.header)
			}
			if bad != nil {
				im.problems.add(bad)
				return nil
			}
			id++
			out.item(in.appendTo(out.buf[:0], id, imageID, im.header))
			return out.err
		})
		if err == nil && !x.job.IncludeImages {
			x.settle(im, 0)
		}
		return err
	})
	x.annotations += id
	return err
}

// lister writes lists of JSON objects and keeps the first error of its
// writer, for flush to tell.
type lister struct {
	w     *bufio.Writer
	buf   []byte // of the last item, to be used again
	items int
	err   error
}

func (l *lister) text(s string) {
	if l.err == nil {
		_, l.err = l.w.WriteString(s)
	}
}

func (l *lister) open() {
	l.items = 0
	l.text("[")
}

func (l *lister) item(b []byte) {
	l.buf = b
	if l.items++; l.items > 1 {
		l.text(",")
	}
	l.text("\n")
	if l.err == nil {
		_, l.err = l.w.Write(b)
	}
}

func (l *lister) close() {
	if l.items > 0 {
		l.text("\n")
	}
	l.text("]")
}

func (l *lister) flush() error {
	if l.err != nil {
		return l.err
	}
	return l.w.Flush()
}
