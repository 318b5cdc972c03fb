package thumbnail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
	"github.com/stevedore-jobs/stevedore/worker/memory"
	"github.com/stevedore-jobs/stevedore/worker/raster/rastertest"
)

// noise returns an image that hardly compresses.
func noise(width, height int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	random := rand.New(rand.NewPCG(1, 1))
	for i := range m.Pix {
		m.Pix[i] = byte(random.Uint32())
	}
	return m
}

// The estimate of a whole thumbnail is at least what it takes, and at
// most half more.
func TestMemory_OfAThumbnail(t *testing.T) { //nolint:paralleltest // it measures the whole process
	progressive, cmyk := rastertest.YCbCr(800, 600, 0x11), rastertest.CMYK(800, 600, 0)
	progressive.Progressive, cmyk.Progressive = true, true
	for name, data := range map[string]string{
		"photo":            asJPEG(t, noise(800, 600)),
		"turned photo":     turned(asJPEG(t, noise(800, 600)), 6),
		"small photo":      asJPEG(t, noise(400, 400)),
		"PNG":              asPNG(t, quarters(800, 600)),
		"progressive":      string(progressive.Bytes()),
		"progressive CMYK": string(cmyk.Bytes()),
		"long PNG":         string(rastertest.PNG{Width: 3, Height: 100_000, Bits: 1}.Bytes()),
	} {
		for _, m := range []maker{{size: 256, quality: 80}, {size: 500, quality: 100}} {
			h, err := readHead([]byte(data))
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			percent := debug.SetGCPercent(-1)
			runtime.ReadMemStats(&before)
			_, err = m.render(strings.NewReader(data), h)
			runtime.ReadMemStats(&after)
			debug.SetGCPercent(percent)
			took, estimate := int64(after.TotalAlloc-before.TotalAlloc), m.memory(h)
			least := took
			if raceDetector {
				least = took * 2 / 3
			}
			if err != nil || estimate < least || estimate > took*3/2 {
				t.Errorf("%s, size %d: the estimate is %d, and it takes %d (%.2f), %v",
					name, m.size, estimate, took, float64(estimate)/float64(took), err)
			}
		}
	}
}

// What can never fit is a line of the error list that names the sizes
// and the setting. The other images have their thumbnails.
func TestJob_ImagesBeyondTheBudget(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	cmyk := rastertest.CMYK(10_000, 9_900, 0)
	cmyk.Progressive = true
	w.Put(t, "in/cmyk.jpg", string(cmyk.Bytes()))
	w.Put(t, "in/small.png", asPNG(t, quarters(50, 50)))
	out := jobtest.Run(t, w, New(memory.New(64<<20)), tasks.GenerateThumbnails{Source: jobtest.Source("in/")})
	if out.Err != nil || len(out.Errors) != 1 || out.Counts.Objects != 2 {
		t.Fatalf("%v, %v", out.Err, out.Errors)
	}
	const want = "the jpeg has 10000 x 9900 pixels: it needs 2281 MiB of memory, and may take 48 MiB: " +
		"three quarters of the setting memory-budget, which is 64 MiB"
	if e := out.Errors[0]; e.Code != codeTooLarge || e.Message != want {
		t.Errorf("%s: %s", e.Code, e.Message)
	}
}

// A head that lies behind the front takes requests of its own; the
// thumbnail is the same.
func TestJob_HeadFarBehind(t *testing.T) {
	t.Parallel()
	segment := "\xff\xe2\xff\xff" + strings.Repeat("p", 0xffff-2)
	for _, segments := range []int{0, 1, 2, 40} {
		w := jobtest.New()
		whole := asJPEG(t, quarters(320, 240))
		w.Put(t, "in/a.jpg", whole[:2]+strings.Repeat(segment, segments)+whole[2:])
		out := jobtest.Run(t, w, New(ample), tasks.GenerateThumbnails{Source: jobtest.Source("in/")})
		if out.Err != nil || out.Counts.Failed > 0 {
			t.Fatalf("%d segments: %v, %v", segments, out.Err, out.Errors)
		}
		if names := w.Keys(t, own); len(names) != 2 || !bytes.Contains([]byte(fmt.Sprint(names)), []byte("256x192")) {
			t.Errorf("%d segments: %q", segments, names)
		}
	}
}

// slowBucket has images, of which "slow.jpg" ends only with the test.
type slowBucket struct {
	providers.Bucket
	stuck chan struct{} // closed when the slow body gives nothing more
}

func (b slowBucket) Open(ctx context.Context, key string, _ providers.ReadOptions) (*providers.Reader, error) {
	var body io.Reader = bytes.NewReader(rastertest.YCbCr(4000, 4500, 0x22).Bytes())
	if key == "slow.jpg" {
		body = bytes.NewReader(rastertest.YCbCr(3000, 1500, 0x22).Bytes())
		body = io.MultiReader(body, readerFunc(func([]byte) (int, error) {
			close(b.stuck)
			<-ctx.Done()
			return 0, context.Cause(ctx)
		}))
	}
	return &providers.Reader{ReadCloser: io.NopCloser(body)}, nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A slow body of 38 MiB holds only what it has sent: others have their
// thumbnails meanwhile, at a budget of 64 MiB.
func TestProduce_BesideASlowBody(t *testing.T) {
	t.Parallel()
	b := slowBucket{stuck: make(chan struct{})}
	r := &run{maker: maker{size: 64, quality: 80}, from: b, limits: New(memory.New(64 << 20))}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, _, err := r.produce(ctx, providers.Object{Key: "slow.jpg", Size: 38 << 20})
		ended <- err
	}()
	<-b.stuck
	for range 2 {
		size := int64(len(rastertest.YCbCr(4000, 4500, 0x22).Bytes())) // 26 MiB of pixels
		if made, _, err := r.produce(t.Context(), providers.Object{Key: "a.jpg", Size: size}); err != nil || made.height != 64 {
			t.Errorf("%d x %d, %v", made.width, made.height, err)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the slow one: %v", err)
	}
}
