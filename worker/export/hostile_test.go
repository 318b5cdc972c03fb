package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
)

// hostileDocument is a document that asks for much work or memory.
type hostileDocument struct {
	text    func() string
	refused string // part of the error that ends the job; empty if none
	long    bool   // its export takes more than a few seconds
}

// hostileDocuments are, by what there is too much of. Before there were
// limits each of them took gigabytes, or minutes to hours.
var hostileDocuments = map[string]hostileDocument{
	"directories in a name": {text: func() string {
		return documentXML(imageXML(strings.Repeat("a/", 100_000)+"i.jpg", 9, 9))
	}},
	"directories in many names": {text: func() string {
		return repeatedXML(2_000, func(i int) string { return imageXML(fmt.Sprint(i)+strings.Repeat("/a", 500), 9, 9) })
	}, refused: "more than 1000000 directories in the names of images"},
	"images of one name": {text: func() string {
		return repeatedXML(30_000, func(int) string { return imageXML("i.jpg", 9, 9) })
	}},
	"images": {text: func() string {
		return repeatedXML(100_000, func(int) string { return "<image/>" })
	}},
	"attributes of one name": {text: func() string {
		return repeatedXML(40, func(i int) string {
			attribute := `<attribute name="a">b</attribute>`
			return imageXML(fmt.Sprint(i), 9, 9, `<box label="car" xtl="1" ytl="1" xbr="2" ybr="2">`+strings.Repeat(attribute, 990)+"</box>",
				`<box label="car" xtl="1" ytl="1" xbr="2" ybr="2">`+strings.Repeat(attribute, 8_000)+"</box>")
		})
	}},
	"pixels of masks": {text: func() string {
		mask := `<mask label="car" left="0" top="0" width="12000" height="11000" rle="1, 131999999"/>`
		return documentXML(imageXML("i.jpg", 12_000, 11_000, strings.Repeat(mask, 600)))
	}},
	"stripes of masks": {long: true, text: func() string {
		mask := `<mask label="car" left="0" top="0" width="10000" height="400" rle="` + strings.Repeat("10000,", 399) + `10000"/>`
		return documentXML(imageXML("i.jpg", 10_000, 400, strings.Repeat(mask, 600)))
	}, refused: `image "i.jpg": more than 1073741824 columns and runs of masks`},
	"points": {text: func() string {
		polygon := `<polygon label="car" points="` + strings.Repeat("1,1;-9,99;", 99_999) + `1,1"/>`
		return documentXML(imageXML("i.jpg", 90, 90, strings.Repeat(polygon, 5), strings.Replace(polygon, `1,1"`, strings.Repeat("1,1;", 1_500_000)+`1,1"`, 1)))
	}},
	"nesting": {text: func() string {
		return documentXML(imageXML("i.jpg", 9, 9, strings.Repeat("<a>", 2_000_000)))
	}, refused: `line 18: image "i.jpg": more than 64 XML elements inside each other`},
	"text": {text: func() string {
		return documentXML(imageXML("i.jpg", 9, 9, "<!--"+strings.Repeat("x", 20<<20)+"-->"))
	}, refused: `line 18: image "i.jpg": more than 8388608 bytes in one tag, comment or piece of text`},
	"labels": {text: func() string {
		return strings.Replace(documentXML(), "<labels>", "<labels>"+strings.Repeat("<label/>\n", 200_000), 1)
	}, refused: "line 50004: more than 50000 labels"},
	"subsets": {long: true, text: func() string {
		return repeatedXML(40_000, func(i int) string {
			return fmt.Sprintf(`<image name="%d" subset="s%d" width="9" height="9"><tag/></image>`, i, i%100)
		})
	}},
	"problems": {text: func() string {
		return repeatedXML(10_000, func(i int) string {
			return imageXML(fmt.Sprint(i), 9, 9, strings.Repeat("<tag/>", 20))
		})
	}},
}

// repeatedXML returns a document with n images.
func repeatedXML(n int, image func(i int) string) string {
	images := make([]string, n)
	for i := range images {
		images[i] = image(i)
	}
	return documentXML(images...)
}

// most is how long after its context a job may end: two seconds, and
// more on a busy machine.
const most = 10 * time.Second

// A job ends soon after its context, whatever the document asks for.
func TestHostileDocument_EndsWithItsContext(t *testing.T) {
	if testing.Short() {
		t.Skip("takes several seconds")
	}
	errStopped := errors.New("the job is stopped")
	for name, doc := range hostileDocuments {
		text := doc.text()
		for how, start := range map[string]func(w *world) (context.Context, context.CancelFunc){
			"deadline": func(w *world) (context.Context, context.CancelFunc) {
				return context.WithTimeoutCause(w.t.Context(), 100*time.Millisecond, errStopped)
			},
			"cancelled in the second scan": func(w *world) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancelCause(w.t.Context())
				left := atomic.Int64{}
				left.Store(int64(len(text) + len(text)/10))
				w.wrap = func(b providers.Bucket) providers.Bucket {
					return countedBucket{b, func(n int) {
						if left.Add(-int64(n)) <= 0 {
							cancel(errStopped)
						}
					}}
				}
				return ctx, func() { cancel(nil) }
			},
		} {
			t.Run(name+"/"+how, func(t *testing.T) {
				w := newWorld(t, text, nil)
				w.job.IncludeImages = false
				ctx, cancel := start(w)
				defer cancel()
				var ended atomic.Pointer[time.Time]
				context.AfterFunc(ctx, func() { now := time.Now(); ended.Store(&now) })
				_, err := w.run(ctx)
				if at := ended.Load(); at != nil && time.Since(*at) > most {
					t.Errorf("ended %v after its context", time.Since(*at))
				}
				refused := doc.refused != "" && errors.Is(err, providers.Invalid)
				stopped := errors.Is(err, errStopped) || ctx.Err() != nil && errors.Is(err, ctx.Err())
				if err != nil && !refused && !stopped {
					t.Error(err)
				}
			})
		}
	}
}

// countedBucket tells how many bytes are read from it.
type countedBucket struct {
	providers.Bucket
	read func(n int)
}

func (b countedBucket) Open(ctx context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	r, err := b.Bucket.Open(ctx, key, opts)
	if err == nil {
		r.ReadCloser = &countedReader{r.ReadCloser, b.read}
	}
	return r, err
}

type countedReader struct {
	io.ReadCloser
	read func(n int)
}

func (r *countedReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.read(n)
	return n, err
}

// A hostile document is exported within the memory that it is given, or
// refused with the limit.
func TestHostileDocument_IsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes several seconds")
	}
	for name, doc := range hostileDocuments {
		if doc.long {
			continue
		}
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, doc.text(), nil)
			w.job.IncludeImages = false
			var err error
			if n := peak(t, func() { _, err = w.run(t.Context()) }); n > 160<<20 {
				t.Errorf("takes %d MiB", n>>20)
			}
			if doc.refused == "" && err != nil || doc.refused != "" && (err == nil || !strings.Contains(err.Error(), doc.refused)) {
				t.Error(err)
			}
		})
	}
}
