package headtest

import (
	"errors"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// Fuzz feeds any content to those of the formats that match it. Each
// gives a possible head, or an *head.Error, and does not panic. It asks
// for no bytes outside of the object. The sizes of its reads do not
// change the result. The error of a read comes back as it is.
func Fuzz(f *testing.F, formats []head.Format, seeds ...string) {
	for _, seed := range append(Heads(f, formats...), seeds...) {
		f.Add([]byte(seed), uint16(64), uint16(0))
		f.Add([]byte(seed), uint16(4096), uint16(9000))
	}
	zeros := make([]byte, maxAtOnce)
	f.Fuzz(func(t *testing.T, data []byte, first, more uint16) {
		size := int64(len(data)) + int64(more)
		for _, format := range formats {
			o := &object{t: t, data: data, zeros: zeros, size: size}
			if size == 0 || !o.matches(format) {
				continue
			}
			whole, wholeErr := format.Read(head.NewSource(o.fetch, size, size))
			pieces, piecesErr := format.Read(head.NewSource(o.fetch, size, int64(first)))
			if (wholeErr == nil) != (piecesErr == nil) || wholeErr == nil && whole != pieces {
				t.Fatalf("%s: whole: %+v, %v; in pieces: %+v, %v",
					format.Type, whole, wholeErr, pieces, piecesErr)
			}
			check(t, format.Type, whole, wholeErr)
			checkFetchErrors(t, format, o, int64(first))
		}
	})
}

// checkFetchErrors lets one read after the other fail.
func checkFetchErrors(t testing.TB, f head.Format, o *object, first int64) {
	t.Helper()
	for o.fail = 1; o.fail <= 10; o.fail++ {
		o.reads = 0
		_, err := f.Read(head.NewSource(o.fetch, o.size, first))
		if o.reads < o.fail {
			return
		}
		if !errors.Is(err, errFetch) {
			t.Fatalf("%s: read %d fails, and the error is %v", f.Type, o.fail, err)
		}
	}
}

// check fails the test if a head or an error is not possible.
func check(t testing.TB, is head.Type, h head.Head, err error) {
	t.Helper()
	var e *head.Error
	switch {
	case err != nil && !errors.As(err, &e):
		t.Fatalf("%s: an error without a code: %v", is, err)
	case err == nil && (h.Width < 1 || h.Height < 1):
		t.Fatalf("%s: %d x %d pixels", is, h.Width, h.Height)
	case err == nil && (h.Orientation < 1 || h.Orientation > 8 || h.Type != is):
		t.Fatalf("%s: an impossible head: %+v", is, h)
	}
}
