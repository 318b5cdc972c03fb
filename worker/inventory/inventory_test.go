package inventory

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// manifestOf returns a manifest.json with files.
func manifestOf(format, schema string, files ...string) string {
	return fmt.Sprintf(`{"sourceBucket":"images","fileFormat":%q,"fileSchema":%q,"creationTimestamp":"1764288000000","files":[%s]}`,
		format, schema, strings.Join(files, ","))
}

func open(t testing.TB, w *jobtest.World, prefix string) (*List, error) {
	t.Helper()
	s := Source{Report: jobtest.Source("r/"), Key: "r/manifest.json", Bucket: jobtest.Bucket, Prefix: prefix}
	return Open(t.Context(), s, memory.New(512<<20), w.Open)
}

// keys returns the keys of a list, joined by spaces.
func keys(t testing.TB, l *List) (string, error) {
	t.Helper()
	var all []string
	for o, err := range l.objects(t.Context(), place{}) {
		if err != nil {
			return "", err
		}
		all = append(all, o.Key)
	}
	return strings.Join(all, " "), nil
}

func gz(text string) string {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return packed.String()
}

func TestParquetReport(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	text, err := os.ReadFile("parquet/testdata/snappy.parquet")
	if err != nil {
		t.Fatal(err)
	}
	w.Put(t, "r/a.parquet", string(text))
	w.Put(t, "r/manifest.json", manifestOf("Parquet", "message s3.inventory {}", `{"key":"r/a.parquet"}`))
	l, err := open(t, w, "dir 1/é+9")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got, err := keys(t, l); err != nil || got != "dir 1/é+91.jpg dir 1/é+92.jpg dir 1/é+93.jpg dir 1/é+94.jpg dir 1/é+96.jpg dir 1/é+97.jpg dir 1/é+98.jpg dir 1/é+99.jpg" {
		t.Error(got, err)
	}
	w.Put(t, "r/manifest.json", manifestOf("Parquet", "", `{"key":"r/b.parquet"}`))
	none, _ := os.ReadFile("parquet/testdata/no-size.parquet")
	w.Put(t, "r/b.parquet", string(none))
	l2, err := open(t, w, "")
	if err != nil {
		t.Fatal(err)
	}
	defer l2.Close()
	_, err = keys(t, l2)
	if e := jobtest.WantKind(t, err, providers.Invalid); e.Code != CodeBroken || e.Fix != adviceFields || e.Key != "r/b.parquet" {
		t.Errorf("%+v", e)
	}
}

// A file that is not the one that AWS wrote fails the job, and what it
// listed is not used.
func TestSum(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	packed := gz("images,a.jpg,1\n")
	w.Put(t, "r/a.gz", packed)
	sum := md5.Sum([]byte(packed))
	right := hex.EncodeToString(sum[:])
	for sum, want := range map[string]string{right: "", strings.ToUpper(right): "", "": "", strings.Repeat("0", 32): "its MD5 sum is " + right} {
		w.Put(t, "r/manifest.json", manifestOf("CSV", "Bucket,Key,Size", fmt.Sprintf(`{"key":"r/a.gz","size":%d,"MD5checksum":%q}`, len(packed), sum)))
		l, err := open(t, w, "")
		if err != nil {
			t.Fatal(err)
		}
		got, err := keys(t, l)
		if want == "" && (err != nil || got != "a.jpg") || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %s %v", sum, got, err)
		}
		l.Close()
	}
}

func TestOpen_Refuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"too many files": {manifestOf("CSV", "Bucket,Key,Size", strings.Repeat(`{"key":"k"},`, maxFiles)+`{"key":"k"}`), "more than 20000 files"},
		"too long":       {strings.Repeat(" ", maxManifest+1), "more than 4194304"},
		"no key":         {manifestOf("CSV", "Bucket,Key,Size", `{}`), "without a key"},
		"files no list":  {`{"sourceBucket":"images","fileFormat":"CSV","files":{}}`, "files is no list"},
		"empty":          {"", "no manifest.json"},
		"other JSON":     {"{}", "no sourceBucket"},
		"format":         {manifestOf("XLS", ""), `"XLS", and only CSV and Parquet`},
	} {
		w := jobtest.New()
		w.Put(t, "r/manifest.json", c.text)
		_, err := open(t, w, "")
		if e := jobtest.WantKind(t, err, providers.Invalid); !strings.Contains(e.Error(), c.want) || e.Key != "r/manifest.json" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// plan cuts the rows of a report as jobs do.
func plan(ctx context.Context, l *List, after string, size int64, emit func(job.Shard) error) error {
	rows := l.Rows()
	return job.Env{}.Cut(ctx, rows, after, size, func(s job.Shard) error { return emit(rows.Place(s)) })
}

// A plan that goes on after a key that the report does not have must not
// begin anew.
func TestPlan_OfAnotherReport(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	w.Put(t, "r/a.gz", gz("images,a.jpg,1\nimages,b.jpg,1\n"))
	w.Put(t, "r/manifest.json", manifestOf("CSV", "Bucket,Key,Size", `{"key":"r/a.gz"}`))
	l, err := open(t, w, "")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = plan(t.Context(), l, "c.jpg", 10, func(job.Shard) error { return errors.New("a shard") })
	if e := jobtest.WantKind(t, err, providers.Invalid); e.Code != CodeChanged {
		t.Error(err)
	}
	for _, s := range []job.Shard{{Place: "0:0", Through: "c.jpg"}, {Place: "7:0", Through: "a.jpg"}, {Place: "x"}, {Place: "-1:0"}} {
		if _, err := l.Shard(t.Context(), s); err == nil {
			t.Errorf("%+v gives no error", s)
		}
	}
}

// Memory does not depend on how many rows a report has.
func TestPlan_TakesTheSameMemoryForMoreRows(t *testing.T) {
	var text strings.Builder
	for i := range 400_000 {
		fmt.Fprintf(&text, "images,dir/%08d-%08d.jpg,1\n", i, i)
	}
	w := jobtest.New()
	w.Put(t, "r/a.gz", gz(text.String()))
	text.Reset()
	w.Put(t, "r/manifest.json", manifestOf("CSV", "Bucket,Key,Size", `{"key":"r/a.gz"}`))
	l, err := open(t, w, "")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	next, stop := iter.Pull2(l.objects(t.Context(), place{}))
	defer stop()
	var heaps []uint64
	for i := range 400_000 {
		if _, err, ok := next(); err != nil || !ok {
			t.Fatal(i, err)
		}
		if i == 10_000 || i == 399_000 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			heaps = append(heaps, m.HeapAlloc)
		}
	}
	if heaps[1] > heaps[0]+1<<20 {
		t.Errorf("the heap grows from %d to %d bytes", heaps[0], heaps[1])
	}
}

func FuzzParse(f *testing.F) {
	f.Add(manifestOf("CSV", "Bucket, Key, Size", `{"key":"a","size":1,"MD5checksum":"00"}`))
	f.Add(manifestOf("Parquet", "", ""))
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parse([]byte(text), "images")
		if err == nil && r.format != formatCSV && r.format != formatParquet {
			t.Errorf("%+v", r)
		}
	})
}
