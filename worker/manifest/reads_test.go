package manifest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

// The first read of an image is as large as the heads of the images
// before needed: after a few, each takes one request. The bucket is
// listed once.
func TestJob_OneReadAndOneListing(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	const n = 300
	for i := range n {
		w.Put(t, fmt.Sprintf("i/%05d.jpg", i), jpegOf(1+i, 1, 6, 23_000)+strings.Repeat("x", 40_000))
	}
	j := tasks.BuildManifest{Source: jobtest.Source("i/")}
	lists, reads := 0, 0
	w.Fail = func(op, _ string) error {
		switch op {
		case "list":
			lists++
		case "get":
			reads++
		}
		return nil
	}
	shards, err := jobtest.Plan(t, w, New(ample), j, "")
	if err != nil || len(shards) < 2 {
		t.Fatal(len(shards), err)
	}
	items, manifests := 0, New(ample)
	for _, s := range shards {
		done, err := jobtest.Work(t, w, manifests, j, s)
		if err != nil {
			t.Fatal(err)
		}
		items += len(done)
	}
	if items != n || reads > n+40 || reads < n || lists != 1 {
		t.Errorf("%d items in %d shards took %d reads and %d listings", items, len(shards), reads, lists)
	}
}
