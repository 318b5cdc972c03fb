package worker_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/results"
)

// maxResident is how much memory a worker may take for a job of a
// million objects, in bytes.
const maxResident = 300 << 20

// The manifest of a million objects is right to the byte, and so is that
// of a second run, which reads no image again. The workers take bounded
// memory. Without the full chaos run there are fewer objects.
func TestManyObjects(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	bucket := simulation{Objects: 20_000}
	if os.Getenv(chaosVariable) == "full" {
		bucket.Objects = 1_000_000
	}
	const workers = 2
	o := queuetest.Start(t).Options()
	j := buildTo(t)
	want := expectedOutput(t, bucket, j)
	f := startFleet(t, setup{
		Redis: redisURL(o), Dir: j.Destination.Bucket, Bucket: bucket, Slots: 2, Parallel: 16,
	}, workers)
	f.waitReady(workers)
	p := newClient(t, o)

	for _, run := range []string{"first", "second"} {
		s := runToEnd(t, p, j)
		r, err := producer.Result(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.(tasks.BuildManifestResult); cmp.Diff(want.result, got) != "" {
			t.Errorf("%s run: %s", run, cmp.Diff(want.result, got))
		}
		data, err := os.ReadFile(filepath.Join(j.Destination.Bucket, "manifest.jsonl"))
		if err != nil || !bytes.Equal(data, want.manifest) {
			t.Errorf("%s run: the manifest differs, %v", run, err)
		}
		for i, w := range f.processes {
			resident := peakResident(t, w.Process.Pid)
			t.Logf("%s run: %d objects in %.1f s; worker %d took %d MB at most",
				run, bucket.Objects, s.Finished.Sub(s.Started).Seconds(), i, resident>>20)
			if resident > maxResident {
				t.Errorf("%s run: worker %d took %d bytes of memory", run, i, resident)
			}
		}
		// The second run reads the broken images alone: they have no
		// entry.
		want.result.Unchanged = true
		want.result.Changes = &results.ManifestChanges{Kept: want.result.Entries}
		report := *want.result.Report
		report.Requests = want.result.SkippedBy["corrupt-image"]
		want.result.Report = &report
		want.result.BytesRead = report.Requests * int64(len("this is not an image"))
	}
}

// peakResident returns the most memory that a process has taken so far,
// in bytes.
func peakResident(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	text, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kilobytes, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}
