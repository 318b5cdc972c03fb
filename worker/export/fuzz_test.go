package export

import (
	"archive/zip"
	"bytes"
	"errors"
	"sort"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/export/formats/coco/cocotest"
	"github.com/stevedore-jobs/stevedore/worker/export/naming"
)

// fuzzMeta is the shortest head of a document with a label.
const fuzzMeta = "<annotations><meta><task><labels><label><name>a</name><attributes><attribute><name>n</name>" +
	"<input_type>number</input_type></attribute></attributes></label></labels></task></meta>"

// FuzzExport: the export of any document ends with a data set whose
// files keep the rules, or with an error that says what is wrong with
// the document.
func FuzzExport(f *testing.F) {
	for _, images := range []string{
		`<image name="i.jpg" width="9" height="9"><box label="a" xtl="-3" ytl="4" xbr="0.004" ybr="1e7" rotation="30"><attribute name="n">1</attribute></box></image>`,
		`<image name="i" width="9" height="9"><polygon label="a" points="1,1;5,-9;12.555,7;-0,3" z_order="1"/></image>`,
		`<image name="i" width="9" height="9"><ellipse label="a" cx="5" cy="5" rx="9e6" ry="0.001" occluded="1"/></image>`,
		`<image name="i" width="9" height="9"><mask label="a" rle="1, 2, 3" left="-1" top="2" width="3" height="2"/></image>`,
		`<image name="i" width="9" height="9"><skeleton label="a"><points/></skeleton><tag label="b"/></image>`,
		`<image name="../i" width="9" height="9"/><image name="x/I.png" subset="s" width="1" height="1"/><image name="x/i.jpg" subset="s" width="1" height="1"/>`,
		`<image name="a\b:c" width="1" height="1"/><image name="a/b" width="-1" height="1e9"/><image/>`,
	} {
		f.Add(images, false)
	}
	f.Add("<!DOCTYPE a><annotations/>", true)
	f.Add(fuzzMeta+"</annotations>", true)
	f.Fuzz(func(t *testing.T, text string, whole bool) {
		if !whole {
			text = fuzzMeta + text + "</annotations>"
		}
		w := newWorld(t, text, nil)
		w.job.IncludeImages = false
		if _, err := w.run(t.Context()); err != nil {
			var e *providers.Error
			if !errors.As(err, &e) || e.Kind != providers.Invalid || e.Code == "" || e.Detail == "" || e.Fix == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		checkArchive(t, w.read(w.job.Key))
	})
}

// checkArchive checks the names and the annotations in a zip.
func checkArchive(t *testing.T, data []byte) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range z.File {
		names = append(names, file.Name)
		if naming.Safe(file.Name) != file.Name || !naming.IsRelativePath(file.Name) {
			t.Fatalf("a file is named %q", file.Name)
		}
		if !strings.HasSuffix(file.Name, ".json") {
			continue
		}
		text := unzip(t, z, file.Name)
		if broken := cocotest.Broken(t, text); len(broken) > 0 {
			t.Fatalf("%s breaks %q: %s", file.Name, broken, text)
		}
	}
	if !sort.StringsAreSorted(names) || len(names) == 0 {
		t.Fatalf("files %q", names)
	}
}
