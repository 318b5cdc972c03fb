package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/worker/raster/rastertest"
)

// turnedRight adds an EXIF orientation to a JPEG.
func turnedRight(jpeg []byte) []byte {
	exif := "\xff\xe1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
	return append([]byte("\xff\xd8"+exif), jpeg[2:]...)
}

// hostileImages are small files that take much memory: together some
// gigabytes.
func hostileImages() map[string][]byte {
	cmyk, large, long := rastertest.CMYK(10_000, 9_900, 0), rastertest.YCbCr(9_000, 9_000, 0x11), rastertest.YCbCr(3_000, 3_000, 0x11)
	cmyk.Progressive, large.Progressive, long.Progressive = true, true, true
	images := map[string][]byte{
		"cmyk.jpg":  turnedRight(cmyk.Bytes()),
		"large.jpg": turnedRight(large.Bytes()),
		"one.png":   rastertest.PNG{Width: 6_000, Height: 6_000, Bits: 1}.Bytes(),
		"deep.png":  rastertest.PNG{Width: 2_000, Height: 2_000, Bits: 16, Colour: 6, Interlaced: true}.Bytes(),
		"thin.png":  rastertest.PNG{Width: 1, Height: 10_000_000, Bits: 1}.Bytes(),
	}
	for i := range 4 {
		images[fmt.Sprintf("some-%d.jpg", i)] = turnedRight(long.Bytes())
		images[fmt.Sprintf("plain-%d.jpg", i)] = turnedRight(rastertest.YCbCr(3_000, 2_500, 0x22).Bytes())
	}
	return images
}

// mostResident returns the largest resident memory that a process had,
// in bytes.
func (s *process) mostResident(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		t.Fatalf("no VmHWM in %s", status)
	}
	n, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}

// Whatever the images are, the process stays near its budget. Those that
// fit are done, and those that never fit are named.
func TestMemoryBudgetHoldsWithHostileImages(t *testing.T) {
	skipInShort(t)
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells the resident memory")
	}
	t.Parallel()
	images := hostileImages()
	for _, c := range []struct {
		budget, most int64 // MiB
		fits         []string
	}{
		{64, 250, []string{"plain-0.jpg"}},
		{256, 500, []string{"plain-0.jpg", "some-0.jpg", "one.png"}},
	} {
		dir := t.TempDir()
		var document strings.Builder
		document.WriteString(`<annotations><version>1.1</version><meta><task><labels><label><name>a</name></label></labels></task></meta>`)
		for name, data := range images {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&document, `<image id="%d" name="%s" width="10" height="10"></image>`, document.Len(), name)
		}
		document.WriteString(`</annotations>`)
		if err := os.WriteFile(filepath.Join(dir, "annotations.xml"), []byte(document.String()), 0o600); err != nil {
			t.Fatal(err)
		}

		redis := queuetest.Start(t)
		client := producer.New(redis.Options())
		defer func() { _ = client.Close() }()
		worker := startProcess(t, redisURL(redis.Options()), "STEVEDORE_FILE_ROOTS="+dir, "STEVEDORE_SHARD_SLOTS=4",
			fmt.Sprintf("STEVEDORE_MEMORY_BUDGET=%dMiB", c.budget))
		failed := runHostile(t, client, dir)
		for _, name := range c.fits {
			if failed[name] != "" {
				t.Errorf("at %d MiB %s: %s", c.budget, name, failed[name])
			}
		}
		if !strings.Contains(failed["cmyk.jpg"], fmt.Sprintf("which is %d MiB", c.budget)) {
			t.Errorf("at %d MiB cmyk.jpg: %s", c.budget, failed["cmyk.jpg"])
		}
		most := worker.mostResident(t) >> 20
		t.Logf("at %d MiB the worker took %d MiB at most", c.budget, most)
		if most > c.most {
			t.Errorf("at %d MiB the worker took %d MiB, more than %d", c.budget, most, c.most)
		}
		worker.stop(t)
	}
}

// runHostile runs thumbnails and two exports at once, and returns what
// the error list of the thumbnails says, by the names of the images.
func runHostile(t *testing.T, client *producer.Client, dir string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	storage := tasks.Storage{Provider: "file", Bucket: dir}
	jobs := map[string]tasks.Job{"thumbnails": tasks.GenerateThumbnails{Source: storage, Size: 64}}
	for _, id := range []string{"export-1", "export-2"} {
		jobs[id] = tasks.ExportAnnotations{
			Source: storage, Annotations: tasks.Annotations{Key: "annotations.xml", Format: tasks.FormatCVATImages},
			Format: tasks.FormatCOCOInstances, Key: id + ".zip", IncludeImages: true,
		}
	}
	for id, j := range jobs {
		if _, err := client.Enqueue(ctx, j, producer.WithID(id)); err != nil {
			t.Fatal(err)
		}
	}
	for id := range jobs {
		s, err := client.Wait(ctx, id, nil)
		if err != nil || s.State != tasks.StateSucceeded {
			t.Fatalf("%s: %v, %s, %+v", id, err, s.State, s.Failure)
		}
	}
	failed := map[string]string{}
	for e, err := range client.Errors(ctx, "thumbnails") {
		if err != nil {
			t.Fatal(err)
		}
		failed[e.Key] = e.Message
	}
	return failed
}
