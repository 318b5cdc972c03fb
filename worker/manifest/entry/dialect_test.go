package entry_test

import (
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
)

// Each tool gets the images in its own way, and what was written can be
// read again.
func TestDialect(t *testing.T) {
	t.Parallel()
	names := []string{"a b.png", "ü.png"}
	for name, c := range map[string]struct {
		provider, dialect string
		want              string
	}{
		"CVAT": {"gcs", "", entry.Header + `{"name":"a b","extension":".png","width":3,"height":2}` + "\n" +
			`{"name":"\u00fc","extension":".png","width":3,"height":2}` + "\n"},
		"SageMaker": {"s3", tasks.DialectSageMaker, `{"source-ref":"s3://b/in/a b.png"}` + "\n" + `{"source-ref":"s3://b/in/\u00fc.png"}` + "\n"},
		"Label Studio": {"azure", tasks.DialectLabelStudio, "[\n" + `{"data":{"image":"azure-blob://b/in/a b.png"}},` + "\n" +
			`{"data":{"image":"azure-blob://b/in/\u00fc.png"}}` + "\n]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := tasks.BuildManifest{Dialect: c.dialect, Source: tasks.Storage{Provider: c.provider, Bucket: "b"}}
			d := entry.DialectOf(j, "in/")
			var lines []byte
			for _, name := range names {
				line := d.Image(name, 3, 2)
				if got, err := d.Name(line); err != nil || got != name {
					t.Errorf("the name in %s is %q, %v", line, got, err)
				}
				lines = append(lines, line...)
			}
			pieces := iter.Seq2[[]byte, error](func(yield func([]byte, error) bool) { yield(lines, nil) })
			var out strings.Builder
			if err := d.Write(&out, pieces); err != nil || out.String() != c.want {
				t.Errorf("%v:\n%s\nwant\n%s", err, out.String(), c.want)
			}
			if size := d.Size(2, int64(len(lines))); size != int64(len(c.want)) {
				t.Errorf("%d bytes, want %d", size, len(c.want))
			}
			for _, bad := range []string{"", "{}", "[\n", `{"source-ref":"s3://other/x"}`, `{"source-ref":1}`, `{"data":{"image":"x"}}`} {
				if got, err := d.Name([]byte(bad + "\n")); !errors.Is(err, entry.ErrNotEntry) {
					t.Errorf("%q has the name %q, %v", bad, got, err)
				}
			}
		})
	}
}
