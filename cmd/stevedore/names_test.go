package main

import (
	"bytes"
	"image"
	"image/png"
	"maps"
	"strings"
	"testing"
	"unicode"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// awkward are keys and the reasons why they are no entries; "" means
// that they are. Not every store takes all of them.
var awkward = map[string]string{
	"a.png": "", "A.png": "", "é.png": "", "e\u0301.png": "", "tab\t.png": "", "one\x01.png": "", "del\x7f.png": "",
	"plus+%41 &<>'\".png": "", "line\u2028.png": "",
	`back\slash.png`: "backslash", "double//slash.png": "empty-segment", "here/./dot.png": "dot-segment", "up/../dots.png": "dot-dot-segment",
	"/leading.png": "leading-slash", "folder/": "folder-marker", "folder.png/": "folder-marker", "text.txt": "not-an-image",
	".stevedore/own.png": "own-output", "left/out.png": "excluded",
}

// Names that some tools cannot use, or that a server cannot list, do
// not fail a job. Each is an entry, or has a reason.
func TestAwkwardNames(t *testing.T) {
	skipInShort(t)
	t.Parallel()
	for name, arrange := range map[string]func(*testing.T) (tasks.Storage, settings.Settings){
		"s3": s3Connection, "gcs": gcsConnection, "azure": accountKeyConnection,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, cfg := arrange(t)
			// Azurite cannot list names with control characters. Azure can.
			reasons := storeAwkward(t, open(t, cfg, store), name == "azure")
			r := result[tasks.BuildManifestResult](t, startedLocal(t, cfg).client, tasks.BuildManifest{
				Source: store, Exclude: []string{"left/"}, MaxFailed: new(0.1), Sorting: tasks.SortingNatural,
			})
			entries := int64(reasons[""])
			delete(reasons, "")
			want := map[string]int64{}
			for reason, n := range reasons {
				want[reason] = int64(n)
			}
			if r.Entries != entries || !maps.Equal(r.SkippedBy, want) || r.Twins == nil {
				t.Errorf("%+v, want %d entries and %v", r, entries, want)
			}
			t.Logf("%d entries, %v", entries, r.SkippedBy)
		})
	}
}

// storeAwkward stores an image under each key that the bucket takes,
// and counts the keys that it lists by their reasons.
func storeAwkward(t *testing.T, b providers.Bucket, noControls bool) map[string]int {
	t.Helper()
	var data bytes.Buffer
	if err := png.Encode(&data, image.NewGray(image.Rect(0, 0, 2, 1))); err != nil {
		t.Fatal(err)
	}
	for key := range awkward {
		if noControls && strings.ContainsFunc(key, unicode.IsControl) {
			continue
		}
		content := data.Bytes()
		if key[len(key)-1] == '/' {
			content = nil
		}
		if _, err := b.Put(t.Context(), key, bytes.NewReader(content), providers.WriteOptions{}); err != nil {
			t.Logf("%q: %v", key, err)
		}
	}
	reasons := map[string]int{}
	for o, err := range b.List(t.Context(), providers.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		reason := awkward[o.Key] // versitygw stores some under a canonical key, which is an entry
		if strings.Contains(o.Key, "\ufffd") {
			reason = "not-found" // it cannot list the key either
		}
		reasons[reason]++
	}
	if reasons[""] < 6 {
		t.Errorf("few keys are stored: %v", reasons)
	}
	return reasons
}
