package export

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// peak returns how many bytes of heap do holds at most, beside what was
// there before. Nothing else may run in the process.
func peak(t *testing.T, do func()) int64 {
	t.Helper()
	live := func() int64 {
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(sample)
		return int64(sample[0].Value.Uint64())
	}
	defer debug.SetGCPercent(debug.SetGCPercent(25))
	runtime.GC()
	before, most := live(), int64(0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return most - before
		case <-tick.C:
			most = max(most, live())
		}
	}
}

// largeDocuments have much of something, within the limits.
var largeDocuments = map[string]func() string{
	"images": func() string {
		return repeatedXML(30_000, func(i int) string { return imageXML(fmt.Sprintf("image-%06d.jpg", i), 9, 9) })
	},
	"images with problems": func() string {
		return repeatedXML(20_000, func(i int) string { return imageXML(fmt.Sprintf("a//%d", i), 9, 9) })
	},
	"directories": func() string {
		return repeatedXML(10_000, func(i int) string { return imageXML(fmt.Sprintf("%d/%d/%d/a/b/c/i.jpg", i%7, i%70, i), 9, 9) })
	},
	"long names": func() string {
		return repeatedXML(5_000, func(i int) string {
			return imageXML(fmt.Sprintf("%d/%s.jpg", i%10, strings.Repeat("x", 1000))+fmt.Sprint(i), 9, 9)
		})
	},
	"names that are not safe": func() string {
		return repeatedXML(20_000, func(i int) string { return imageXML(fmt.Sprintf("a:%d.jpg", i), 9, 9) })
	},
	"labels, and rows of masks": func() string {
		labels := make([]string, 49_000)
		for i := range labels {
			labels[i] = fmt.Sprintf("<label><name>%d%s</name></label>", i, strings.Repeat("x", 70))
		}
		mask := `<mask label="car" left="0" top="0" width="1048" height="2000" rle="` + strings.Repeat("1,", 2_095_999) + `1"/>`
		return strings.Replace(documentXML(imageXML("i.jpg", 2000, 2000, mask)), "<labels>", "<labels>"+strings.Join(labels, ""), 1)
	},
	"points": func() string {
		polygon := `<polygon label="car" points="` + strings.Repeat("-1.1234567890123456,1.1234567890123456;99.12,99.12;", 99_999) + `1,1"/>`
		return documentXML(imageXML("i.jpg", 90, 90, polygon))
	},
	"rows of masks": func() string {
		mask := `<mask label="car" left="0" top="0" width="1048" height="2000" rle="` + strings.Repeat("1,", 2_095_999) + `1"/>`
		return documentXML(imageXML("i.jpg", 2000, 2000, mask))
	},
	"columns of masks": func() string {
		mask := `<mask label="car" left="0" top="0" width="1000000" height="2" rle="1000000,1000000"/>`
		return documentXML(imageXML("i.jpg", 1_000_000, 4, strings.Repeat(mask, 3)))
	},
	"attributes": func() string {
		attribute := `<attribute name="a">` + strings.Repeat("\U0001f600", 60) + `</attribute>`
		return documentXML(imageXML("i.jpg", 9, 9, strings.Repeat(`<box label="car" xtl="1" ytl="1" xbr="2" ybr="2">`+strings.Repeat(attribute, 990)+"</box>", 5)))
	},
	"a tag": func() string {
		return documentXML(imageXML("i.jpg", 9, 9, strings.Repeat(`<box label="car" source="`+strings.Repeat("x", 8<<20-200)+`" xtl="1" ytl="1" xbr="2" ybr="2"/>`, 3)))
	},
}

// What a run takes of the budget is at least what it needs, and not
// much more.
func TestSurvey_EstimatesMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes several seconds")
	}
	for name, document := range largeDocuments {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, document(), map[string][]byte{"i.jpg": testPNG(1, 1)})
			measured := peak(t, func() { _, _ = w.run(t.Context()) })
			r := &run{job: w.job, env: w.env(), memory: memory.New(1 << 40), listed: &problemRoom{}}
			if err := r.open(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, need, err := r.scanImages(t.Context(), 0)
			if err != nil || measured > need || need > baseMemory+4*measured {
				t.Errorf("%v; needs %d KiB, and %d KiB are estimated", err, measured>>10, need>>10)
			}
			t.Logf("needs %d KiB, and %d KiB are estimated", measured>>10, need>>10)
		})
	}
}

// A document with many images is counted first, and scanned again with
// the memory that it needs.
func TestSurvey_AsksForMoreMemory(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes several seconds")
	}
	text := repeatedXML(30_000, func(i int) string { return fmt.Sprintf(`<image name="%d" width="9" height="9"/>`, i) })
	w := newWorld(t, text, nil)
	w.job.IncludeImages = false
	opened := 0
	w.wrap = func(b providers.Bucket) providers.Bucket {
		return failingBucket{Bucket: b, open: func(string) error { opened++; return nil }}
	}
	for _, c := range []struct {
		budget int64
		want   string
		opened int
	}{
		{1 << 30, "", 3},
		{86 << 20, "", 3},
		{64 << 20, "", 2},
		{30 << 20, "images or more: it needs 23 MiB of memory, and may take 22 MiB", 1},
	} {
		opened = 0
		budget := memory.New(c.budget)
		result, err := New(budget).Run(t.Context(), w.job, w.env())
		if c.want == "" && (err != nil || result.(tasks.ExportAnnotationsResult).Images != 30_000) {
			t.Errorf("%d: %v, %v", c.budget, result, err)
		}
		if c.want != "" && (!errors.Is(err, providers.Invalid) || !strings.Contains(fmt.Sprint(err), c.want)) {
			t.Errorf("%d: %v", c.budget, err)
		}
		if opened != c.opened {
			t.Errorf("%d: scanned %d times", c.budget, opened)
		}
		release, err := budget.Acquire(t.Context(), budget.Largest())
		if err != nil {
			t.Fatal("the share was not given back")
		}
		release()
	}
}

// A large document cannot have as many subsets as a small one, because
// it is read once for each.
func TestSurvey_LimitsWhatIsScanned(t *testing.T) {
	t.Parallel()
	text := repeatedXML(17, func(i int) string {
		return fmt.Sprintf(`<image name="%d" subset="%d" width="9" height="9"/>`, i, i)
	})
	w := newWorld(t, text, nil)
	w.job.IncludeImages = false
	w.wrap = func(b providers.Bucket) providers.Bucket { return largeBucket{b} }
	_, err := w.run(t.Context())
	const want = "more than 17179869184 bytes to read: the document has 1073741824 bytes, and is read for each of its 17 subsets"
	if !errors.Is(err, providers.Invalid) || !strings.Contains(err.Error(), want) {
		t.Error(err)
	}
}

// largeBucket says that each object has a gibibyte.
type largeBucket struct{ providers.Bucket }

func (b largeBucket) Open(ctx context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	r, err := b.Bucket.Open(ctx, key, opts)
	if err == nil {
		r.Object.Size = 1 << 30
	}
	return r, err
}

// A run that waits for memory ends with its context.
func TestSurvey_WaitsForMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, documentXML(), nil)
	budget := memory.New(100 << 20)
	release, err := budget.Acquire(t.Context(), budget.Largest())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("the job is stopped"))
	defer cancel()
	if _, err := New(budget).Run(ctx, w.job, w.env()); err == nil || err.Error() != "the job is stopped" {
		t.Error(err)
	}
}
