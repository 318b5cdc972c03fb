package export

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/export/formats/coco/cocotest"
)

// refusingBucket lists and describes all images, and does not give out
// those whose keys start with a prefix.
type refusingBucket struct {
	providers.Bucket
	prefix string
	kind   providers.Kind
	opens  *atomic.Int64
}

func (b refusingBucket) Open(ctx context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	b.opens.Add(1)
	if strings.HasPrefix(key, b.prefix) {
		return nil, &providers.Error{Op: "get", Bucket: "b", Key: key, Kind: b.kind}
	}
	return b.Bucket.Open(ctx, key, opts)
}

// Images that are archived or may not be read are left out, like those
// that are missing, and the others are exported.
func TestRefusedImages(t *testing.T) {
	t.Parallel()
	files := map[string][]byte{}
	var images []string
	for i := range 30 {
		name := fmt.Sprintf("im%02d.png", i)
		files[name] = testPNG(3, 3)
		images = append(images, imageXML(name, 3, 3, boxXML(`xtl="0" ytl="0" xbr="1" ybr="1"`)))
	}
	for _, kind := range []providers.Kind{providers.Denied, providers.Invalid} {
		var opens atomic.Int64
		w := newWorld(t, documentXML(images...), files)
		w.wrap = func(b providers.Bucket) providers.Bucket { return refusingBucket{b, "im1", kind, &opens} }
		result, z := w.export()
		f := cocotest.Parse(t, unzip(t, z, defaultJSON))
		if result.Images != 20 || len(f.Images) != 20 || len(f.Annotations) != 20 || result.Annotations != 20 {
			t.Errorf("%s: %+v", kind, result)
		}
		var want []string
		for i := range 10 {
			want = append(want, fmt.Sprintf("im1%d.png: %s", i, map[providers.Kind]string{providers.Denied: "denied", providers.Invalid: "invalid"}[kind]))
		}
		got := w.lines()
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
		if c := w.progress.Counts(); c.Objects != 30 || c.Failed != 10 {
			t.Errorf("%s: progress %+v", kind, c)
		}
		if n := opens.Load(); n > 30+30+20+10 {
			t.Errorf("%s: %d reads", kind, n)
		}

		w = newWorld(t, documentXML(images...), files)
		w.wrap = func(b providers.Bucket) providers.Bucket { return refusingBucket{b, "im", kind, &opens} }
		if _, err := w.run(t.Context()); !errors.Is(err, kind) {
			t.Errorf("%s: all are refused: %v", kind, err)
		}
	}
}
