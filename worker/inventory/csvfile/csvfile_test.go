package csvfile

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/worker/inventory/row"
)

// read reads all rows of a text.
func read(t *testing.T, schema, text string) (rows []row.Row, err error) {
	t.Helper()
	c, err := ParseSchema(schema)
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range c.Read(t.Context(), strings.NewReader(text)) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

const allColumns = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass"

// The lines are as in the Amazon S3 User Guide and in real reports.
func TestRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		schema, text string
		want         []row.Row
	}{
		"current versions": {
			"Bucket, Key, Size, ETag", `"b","a/1.jpg","7","0123"` + "\n" + `"b","a/2.jpg","0",""` + "\r\n\n",
			[]row.Row{{Bucket: "b", Key: "a/1.jpg", Size: 7, ETag: "0123", Current: true}, {Bucket: "b", Key: "a/2.jpg", Current: true}},
		},
		"all versions": {
			allColumns, `"b","k","v","true","false","5","2026-01-01T00:00:00.000Z","e-2","STANDARD"` + "\n" +
				`"b","k","u","false","false","5","2025-01-01T00:00:00.000Z","e","STANDARD"` + "\n" +
				`"b","d","v","true","true","","2026-01-01T00:00:00.000Z","",""`,
			[]row.Row{{Bucket: "b", Key: "k", Size: 5, ETag: "e-2", Current: true}, {Bucket: "b", Key: "k"}, {Bucket: "b", Key: "d"}},
		},
		"encoded keys": {
			"Key,Size,Bucket", "a+b%2Bc%2F%C3%A9%0A%22%2C%25.jpg,1,b\n",
			[]row.Row{{Bucket: "b", Key: "a b+c/é\n\",%.jpg", Size: 1, Current: true}},
		},
		"quotes":  {"Bucket, Key, Size, ETag", `b,"a""b",1,"""e"""`, []row.Row{{Bucket: "b", Key: `a"b`, Size: 1, ETag: "e", Current: true}}},
		"no rows": {"Bucket, Key, Size", "\n\n", nil},
	} {
		got, err := read(t, c.schema, c.text)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

func TestRead_Refuses(t *testing.T) {
	t.Parallel()
	const schema = "Bucket, Key, Size, IsLatest"
	for text, want := range map[string]string{
		"b,k,1,true\nb,k,1":              "row 2: there are 3 values, and 4 columns",
		"b,k,1,true,x":                   "row 1: there are 5 values",
		strings.Repeat(",", 500):         "too many values",
		"b,%zz,1,true":                   "not URL-encoded",
		"b,%ff,1,true":                   "not URL-encoded UTF-8",
		"b,k,,true":                      `"k" has the size ""`,
		"b,k,-1,true":                    "has the size -1",
		"b,k,1,maybe":                    "neither true nor false",
		`"b,k,1,true`:                    "quotes",
		`"b"x,k,1,true`:                  "quotes",
		"b," + strings.Repeat("k", 4000): "there are 2 values",
		"b," + strings.Repeat("k", 4000) + ",1,true": "more than S3 allows",
		strings.Repeat("b", 300) + ",k,1,true":       "longer than 255 bytes",
		strings.Repeat("x", maxLine+1):               "longer than 131072 bytes",
	} {
		_, err := read(t, schema, text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v", text, err)
		}
	}
	for schema, want := range map[string]string{
		"Bucket, Key": "no column Size", "": "no column Bucket", strings.Repeat("a,", 500): "too many",
	} {
		if _, err := ParseSchema(schema); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v", schema, err)
		}
	}
}

// endless repeats a row for ever.
type endless struct{ row string }

func (e endless) Read(p []byte) (int, error) { return copy(p, e.row), nil }

func TestRead_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c, _ := ParseSchema("Bucket, Key, Size")
	n, last := 0, error(nil)
	for _, err := range c.Read(ctx, endless{"b,k,1\n"}) {
		cancel()
		n, last = n+1, err
	}
	if n > 1000 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d rows, %v", n, last)
	}
	fails := io.MultiReader(strings.NewReader("b,k,1\nb,k"), iotestErr{})
	for _, err := range c.Read(t.Context(), fails) {
		last = err
	}
	if !errors.Is(last, io.ErrClosedPipe) {
		t.Errorf("the error of the reader is %v", last)
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

// Whatever a file holds, a row is within its limits.
func FuzzRead(f *testing.F) {
	f.Add(allColumns, `"b","k+%41","v","true","false","5","2026","e",""`+"\n")
	f.Add("Bucket, Key, Size", "b,k,1\n\"b\"\"\",k,2\n")
	f.Fuzz(func(t *testing.T, schema, text string) {
		c, err := ParseSchema(schema)
		if err != nil {
			return
		}
		for r, err := range c.Read(t.Context(), strings.NewReader(text)) {
			if err != nil {
				return
			}
			if r.Current && r.Check() != nil {
				t.Fatalf("%+v", r)
			}
		}
	})
}
