package thumbnail

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// ample is more memory than any test needs.
var ample = memory.New(512 << 20)

func TestStem_DiffersInEverything(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 500)
	file, folder := strings.Repeat("f", 227), strings.Repeat("é", 127)
	seen := map[string]string{}
	for name, stem := range map[string]string{
		"base":                 maker{dir: "t/", size: 256, quality: 80}.stem("a.jpg", "1"),
		"another version":      maker{dir: "t/", size: 256, quality: 80}.stem("a.jpg", "2"),
		"another key":          maker{dir: "t/", size: 256, quality: 80}.stem("b.jpg", "1"),
		"another size":         maker{dir: "t/", size: 128, quality: 80}.stem("a.jpg", "1"),
		"another quality":      maker{dir: "t/", size: 256, quality: 81}.stem("a.jpg", "1"),
		"another directory":    maker{dir: "u/", size: 256, quality: 80}.stem("a.jpg", "1"),
		"a long key":           maker{dir: "t/", size: 256, quality: 80}.stem(long+"a.jpg", "1"),
		"another long key":     maker{dir: "t/", size: 256, quality: 80}.stem(long+"b.jpg", "1"),
		"a long key's version": maker{dir: "t/", size: 256, quality: 80}.stem(long+"a.jpg", "2"),
		"the longest file":     maker{dir: "t/", size: 256, quality: 80}.stem("d/"+file+"a", "1"),
		"a longer file":        maker{dir: "t/", size: 256, quality: 80}.stem("d/"+file+"ab", "1"),
		"another longer file":  maker{dir: "t/", size: 256, quality: 80}.stem("d/"+file+"ac", "1"),
		"the longest folder":   maker{dir: "t/", size: 256, quality: 80}.stem(folder+"a/a.jpg", "1"),
		"a longer folder":      maker{dir: "t/", size: 256, quality: 80}.stem(folder+"é/a.jpg", "1"),
		"another folder":       maker{dir: "t/", size: 256, quality: 80}.stem(folder+"ü/a.jpg", "1"),
		"long folders":         maker{dir: "t/", size: 256, quality: 80}.stem(strings.Repeat(folder+"/", 6)+"a.jpg", "1"),
		"other long folders":   maker{dir: "t/", size: 256, quality: 80}.stem(strings.Repeat(folder+"/", 6)+"b.jpg", "1"),
	} {
		if other, ok := seen[stem]; ok {
			t.Errorf("%s and %s have the same name %s", name, other, stem)
		}
		seen[stem] = name
		full := fullName(stem, 2048, 2048)
		if len(full) > maxName || !utf8.ValidString(full) {
			t.Errorf("%s: %d bytes: %q", name, len(full), full)
		}
		for segment := range strings.SplitSeq(full, "/") {
			if len(segment) > maxSegment {
				t.Errorf("%s: %d bytes between two slashes: %q", name, len(segment), full)
			}
		}
		hash := len(stem) - strings.LastIndexByte(stem, '.') - 1
		if whole := strings.HasPrefix(name, "the longest"); whole && hash != shortHash {
			t.Errorf("%s: %q was shortened", name, full)
		}
		if got, w, h, ok := parseName(full); !ok || got != stem || w != 2048 || h != 2048 {
			t.Errorf("%q is read as %q %d %d %v", full, got, w, h, ok)
		}
	}
}

// A changed name makes every thumbnail anew, so only a new engine may
// change it.
func TestStem_NeverChanges(t *testing.T) {
	t.Parallel()
	m := maker{dir: ".stevedore/thumbnails/", size: 256, quality: 80}
	deep := strings.Repeat("long/", 200)
	for key, want := range map[string]string{
		"cats/1.jpg":     "cats/1.jpg.857fe4c0923e.256x192.jpg",
		deep + "cat.jpg": deep[:955] + ".391ccc600d155087689417acdab3404c.256x192.jpg",
	} {
		want = m.dir + want
		if got := fullName(m.stem(key, "e1"), 256, 192); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestParseName_RefusesOthers(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"", ".jpg", "a.jpg", "a.1x.jpg", "a.x1.jpg", "a.0x1.jpg", "a.01x1.jpg", "a.+1x1.jpg", "a.1x1.png", "a.1x1x1.jpg", "a.-1x1.jpg",
		"a.99999999999999999999x1.jpg", "1x1.jpg", "index.jsonl",
	} {
		if stem, w, h, ok := parseName(name); ok {
			t.Errorf("%q is read as %q %d %d", name, stem, w, h)
		}
	}
}

func FuzzParseName(f *testing.F) {
	f.Add("t/a.jpg.0123456789ab.256x192.jpg")
	f.Fuzz(func(t *testing.T, name string) {
		if stem, w, h, ok := parseName(name); ok && fullName(stem, w, h) != name {
			t.Fatalf("%q is read as %q %d %d", name, stem, w, h)
		}
	})
}

// A second run finds the thumbnails of long keys too.
func TestJob_LongKeys(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	for _, name := range []string{"a.png", "b.png"} {
		w.Put(t, strings.Repeat("long/", 200)+name, asPNG(t, quarters(2, 2)))
		w.Put(t, strings.Repeat("写", 78)+name, asPNG(t, quarters(2, 2)))
	}
	j := tasks.GenerateThumbnails{Source: jobtest.Source("")}
	for _, want := range []int64{4, 0} {
		out := jobtest.Run(t, w, New(ample), j)
		if out.Err != nil || out.Result.(tasks.GenerateThumbnailsResult).Written != want {
			t.Errorf("%v, %v; want %d written", out.Result, out.Err, want)
		}
	}
}
