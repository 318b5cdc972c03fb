package manifest

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
	"github.com/stevedore-jobs/stevedore/worker/manifest/selection"
)

const reportSchema = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, ETag"

// csvLine is a row of a report with reportSchema.
func csvLine(bucket, key, flags string, o providers.Object) string {
	return fmt.Sprintf("\"%s\",\"%s\",\"v1\",%s,\"%d\",\"%s\"\n", bucket, url.QueryEscape(key), flags, o.Size, o.ETag)
}

const isCurrent = `"true","false"`

// putReport stores a report with a gzip CSV file for each of some texts.
func putReport(t *testing.T, w *jobtest.World, files ...string) *tasks.Inventory {
	t.Helper()
	var list []string
	for i, text := range files {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write([]byte(text))
		_ = z.Close()
		sum := md5.Sum(packed.Bytes())
		key := fmt.Sprintf("inventory/data/%d.csv.gz", i)
		w.Put(t, key, packed.String())
		list = append(list, fmt.Sprintf(`{"key":%q,"size":%d,"MD5checksum":%q}`, key, packed.Len(), hex.EncodeToString(sum[:])))
	}
	w.Put(t, "inventory/manifest.json", fmt.Sprintf(`{"sourceBucket":%q,"destinationBucket":"arn:aws:s3:::%[1]s","version":"2016-11-30",
		"creationTimestamp":"1764288000000","fileFormat":"CSV","fileSchema":%q,"files":[%s]}`, jobtest.Bucket, reportSchema, strings.Join(list, ",")))
	return &tasks.Inventory{Storage: new(jobtest.Source("inventory/")), Key: "inventory/manifest.json"}
}

// The objects of a job are those of a report, as they are now, and the
// bucket is never listed.
func TestJob_Inventory(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	var rows []string
	add := func(key, flags string, o providers.Object) {
		rows = append(rows, csvLine(jobtest.Bucket, key, flags, o))
	}
	for _, key := range []string{"in/z.jpg", "in/a b+c é.jpg", "in/sub/%41.jpg", "in/note.txt", "out.jpg"} {
		add(key, isCurrent, w.Put(t, key, jpegOf(30, 20, 1, 0)))
	}
	old := w.Put(t, "in/changed.jpg", jpegOf(1, 1, 1, 0))
	w.Put(t, "in/changed.jpg", jpegOf(40, 50, 1, 9))
	w.Put(t, "in/new.jpg", jpegOf(1, 1, 1, 0)) // not in the report
	add("in/changed.jpg", isCurrent, old)
	add("in/gone.jpg", isCurrent, old)
	add("in/a b+c é.jpg", `"false","false"`, old)
	add("in/deleted.jpg", `"true","true"`, providers.Object{})
	add("in/z.jpg", isCurrent, old) // once more
	rows = append(rows, csvLine("another", "in/foreign.jpg", isCurrent, old))
	w.Ops()

	j := tasks.BuildManifest{Source: jobtest.Source("in/"), Inventory: putReport(t, w, strings.Join(rows[:2], ""), strings.Join(rows[2:], ""))}
	out := jobtest.Run(t, w, New(ample), j)
	want := entry.Header + string(entry.Image("a b+c é.jpg", 30, 20)) + string(entry.Image("changed.jpg", 40, 50)) +
		string(entry.Image("sub/%41.jpg", 30, 20)) + string(entry.Image("z.jpg", 30, 20))
	if got := w.Get(t, "in/manifest.jsonl"); out.Err != nil || got != want {
		t.Fatalf("%v\n%s", out.Err, got)
	}
	if ops := w.Ops("list"); len(ops) > 0 {
		t.Errorf("the bucket is listed: %q", ops)
	}
	r := out.Result.(tasks.BuildManifestResult)
	if diff := cmp.Diff(map[string]int64{selection.Gone: 1, selection.NotAnImage: 1}, r.SkippedBy); diff != "" || r.Failed != 0 {
		t.Errorf("%+v\n%s", r, diff)
	}
}

// Many shards: without room for their listings, the same manifest comes
// of the report alone. A plan goes on after any shard.
func TestJob_InventoryOfManyShards(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	files := make([]string, 4)
	for i := range 2500 {
		key := fmt.Sprintf("in/%05d.jpg", (i*7919)%100_003) // in no order
		files[i*len(files)/2500] += csvLine(jobtest.Bucket, key, isCurrent, w.Put(t, key, jpegOf(1+i, 7, 1, 0)))
	}
	j := tasks.BuildManifest{Source: jobtest.Source("in/"), Inventory: putReport(t, w, files...)}
	m := New(ample)
	out := jobtest.Run(t, w, m, j)
	if out.Err != nil || out.Counts.Objects != 2500 || len(out.Shards) < 3 {
		t.Fatal(out.Err, out.Counts, len(out.Shards))
	}
	jobtest.Resumes(t, w, m, j)
	w.Ops()
	for i, s := range out.Shards {
		s.Listing = nil
		for _, after := range []string{s.After, out.Items[i][len(out.Items[i])/2].Key} {
			s.After = after
			items, err := jobtest.Work(t, w, m, j, s)
			want := jobtest.Lines(out.Items[i][len(out.Items[i])-len(items):])
			if diff := cmp.Diff(want, jobtest.Lines(items)); err != nil || diff != "" {
				t.Errorf("shard %d after %q: %v\n%s", i, after, err, diff)
			}
		}
	}
	if ops := w.Ops("list"); len(ops) > 0 {
		t.Errorf("the bucket is listed: %q", ops)
	}
}

// What is wrong with a report is said at once, before an image is read.
func TestJob_BrokenInventory(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ manifest, want string }{
		"not JSON":       {"key1\nkey2\n", "no manifest.json"},
		"another bucket": {`{"sourceBucket":"other","fileFormat":"CSV","fileSchema":"Bucket, Key, Size","files":[]}`, `of the bucket "other"`},
		"ORC":            {`{"sourceBucket":"images","fileFormat":"ORC","fileSchema":"struct<>","files":[]}`, "ORC"},
		"no size":        {`{"sourceBucket":"images","fileFormat":"CSV","fileSchema":"Bucket, Key","files":[]}`, "no column Size"},
		"no file":        {`{"sourceBucket":"images","fileFormat":"CSV","fileSchema":"Bucket, Key, Size","files":[{"key":"r/x.gz"}]}`, "r/x.gz: not-found"},
		"outside":        {`{"sourceBucket":"images","fileFormat":"CSV","fileSchema":"Bucket, Key, Size","files":[{"key":"x.gz"}]}`, "OutsidePrefix"},
		"not packed":     {`{"sourceBucket":"images","fileFormat":"CSV","fileSchema":"Bucket, Key, Size","files":[{"key":"r/plain.csv"}]}`, "gzip"},
		"cut off":        {`{"sourceBucket":"images","fileFormat":"CSV","fileSchema":"Bucket, Key, Size","files":[{"key":"r/plain.csv","size":9}]}`, "9 by the manifest"},
	} {
		w := jobtest.New()
		w.Put(t, "r/manifest.json", c.manifest)
		w.Put(t, "r/plain.csv", "a,b,1\n")
		w.Put(t, "in/a.jpg", jpegOf(1, 1, 1, 0))
		j := tasks.BuildManifest{Source: jobtest.Source("in/"), Inventory: &tasks.Inventory{Storage: new(jobtest.Source("r/")), Key: "r/manifest.json"}}
		out := jobtest.Run(t, w, New(ample), j)
		if out.Err == nil || !strings.Contains(out.Err.Error(), c.want) {
			t.Errorf("%s: %v", name, out.Err)
			continue
		}
		if kind := providers.KindOf(out.Err); kind != providers.Invalid && kind != providers.NotFound {
			t.Errorf("%s: the kind is %s", name, kind)
		}
		if ops := w.Ops("list"); len(ops) > 0 {
			t.Errorf("%s: the bucket is listed", name)
		}
	}
}
