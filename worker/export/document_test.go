package export

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/export/formats"
	"github.com/stevedore-jobs/stevedore/worker/export/formats/coco/cocotest"
)

// A document that is not CVAT for images 1.1 ends the job with a
// code, a line and advice.
func TestMalformedDocument(t *testing.T) {
	t.Parallel()
	meta := func(labels string) string {
		return "<annotations><version>1.1</version><meta><task><labels>" + labels + "</labels></task></meta></annotations>"
	}
	label := func(name string) string { return "<label><name>" + name + "</name></label>" }
	sub := func(a, b string) string {
		return strings.Replace(meta(label("a")), "</annotations>", `<image name="a" subset="`+a+`"/><image name="b" subset="`+b+`"/></annotations>`, 1)
	}
	for name, c := range map[string]struct{ document, code, detail string }{
		"empty":          {"", "MalformedAnnotations", "line 1"},
		"zip":            {"PK\x03\x04\x14", "MalformedAnnotations", "line 1"},
		"json":           {`{"images":[]}`, "MalformedAnnotations", "ends early"},
		"root":           {"<a></a>", "MalformedAnnotations", "root"},
		"cut off":        {strings.TrimSuffix(documentXML(imageXML("i", 1, 1)), "</annotations>\n"), "MalformedAnnotations", "unexpected EOF"},
		"mismatch":       {"<annotations>\n<meta>\n</annotations>", "MalformedAnnotations", "line 3"},
		"entity":         {strings.Replace(documentXML(), "car", "&car;", 1), "MalformedAnnotations", "entity"},
		"doctype":        {"<!DOCTYPE a [<!ENTITY x 'y'>]>" + meta(label("a")), "MalformedAnnotations", "DOCTYPE"},
		"late doctype":   {meta(label("a")) + "<b/>", "MalformedAnnotations", "content after"},
		"encoding":       {`<?xml version="1.0" encoding="shift_jis"?>` + meta(label("a")), "MalformedAnnotations", "shift_jis"},
		"version":        {strings.Replace(documentXML(), "1.1", "1.0", 1), "MalformedAnnotations", `"1.0"`},
		"no meta":        {"<annotations><image/></annotations>", "MalformedAnnotations", "meta"},
		"no labels":      {meta(""), "MalformedAnnotations", "labels"},
		"video":          {strings.Replace(documentXML(), "</annotations>", "<track/></annotations>", 1), "NotImageAnnotations", "track"},
		"empty label":    {meta(label("")), "InvalidLabel", `""`},
		"padded label":   {meta(label(" a")), "InvalidLabel", `" a"`},
		"label twice":    {meta(label("a") + label("a")), "InvalidLabel", `"a"`},
		"subset path":    {sub("../x", "b"), "InvalidSubset", "file name"},
		"subset case":    {sub("Train", "train"), "InvalidSubset", "case"},
		"bad characters": {"<annotations>\x01</annotations>", "MalformedAnnotations", "character"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newWorld(t, c.document, nil).run(context.Background())
			var e *providers.Error
			if !errors.As(err, &e) || e.Kind != providers.Invalid || e.Code != c.code || e.Fix == "" || e.Key != "annotations.xml" {
				t.Fatalf("%#v", err)
			}
			if !strings.Contains(e.Detail, c.detail) || !strings.HasPrefix(e.Detail, "line ") {
				t.Errorf("detail %q, wanted %q in it", e.Detail, c.detail)
			}
		})
	}
}

func TestByteOrderMark(t *testing.T) {
	t.Parallel()
	newWorld(t, "\ufeff"+documentXML(imageXML("i", 1, 1))+"<!-- end -->", map[string][]byte{"i": testPNG(1, 1)}).export()
}

// All scans of the document read one version of it.
func TestDocumentChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, documentXML(imageXML("i", 9, 9)), nil)
	w.job.IncludeImages = false
	opened := 0
	w.wrap = func(b providers.Bucket) providers.Bucket {
		return failingBucket{Bucket: b, open: func(string) error {
			if opened++; opened == 2 {
				w.put("annotations.xml", []byte(documentXML()))
			}
			return nil
		}}
	}
	if _, err := w.run(context.Background()); !errors.Is(err, providers.Conflict) {
		t.Errorf("%v", err)
	}
}

// FuzzExport: reading any bytes ends without a panic. Every shape
// that is accepted becomes an annotation that keeps the rules, or a
// problem.
func FuzzExport(f *testing.F) {
	full, _ := fixture()
	f.Add([]byte(full))
	for _, shapes := range []string{
		`<skeleton label="car"><points/></skeleton><tag label="car"/>`,
		`<ellipse label="car" cx="5" cy="5" rx="9e6" ry="0.001" rotation="45"/>`,
		`<box label="car" xtl="-3" ytl="4" xbr="0.004" ybr="1e7"/>`,
		`<polygon label="car" points="1,1;5,-9;12.555,7;-0,3"/>`,
		`<mask label="car" rle="1, 2, 3" left="-1" top="2" width="3" height="2"/>`,
	} {
		f.Add([]byte(documentXML(imageXML("i", 9, 9, shapes))))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		writer, _ := formats.FindWriter(tasks.FormatCOCOInstances)
		r, _ := formats.NewReader(tasks.FormatCVATImages, bytes.NewReader(data))
		schema, err := r.Schema()
		for err == nil {
			var im annotation.Image
			if im, err = r.Next(); err != nil {
				return
			}
			if record := newImageRecord(im, &problemRoom{}); record.leftOut || im.Width*im.Height > 1<<20 {
				continue
			}
			err = r.Shapes(func(sh annotation.Shape, problem *annotation.Problem) error {
				if problem == nil {
					checkShape(t, writer, &schema, im, sh)
				}
				return nil
			})
		}
	})
}

// checkShape writes one shape of an image and checks the annotation
// that it becomes.
func checkShape(t *testing.T, w formats.Writer, schema *annotation.Schema, im annotation.Image, sh annotation.Shape) {
	t.Helper()
	var out bytes.Buffer
	var problem *annotation.Problem
	err := w.Write(t.Context(), &out, annotation.Subset{
		Schema: schema, Images: slices.Values([]annotation.Image{im}),
		Shapes: func(write writeShape) (err error) {
			problem, err = write(0, im, sh)
			return err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if problem != nil {
		return
	}
	_, after, _ := strings.Cut(out.String(), "\n\"annotations\":[\n")
	text, _, found := strings.Cut(after, "\n],\n\"categories\":")
	if !found {
		t.Fatalf("%s", out.Bytes())
	}
	cocotest.CheckAnnotation(t, []byte(text), im.Width, im.Height)
}
