package export

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
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
