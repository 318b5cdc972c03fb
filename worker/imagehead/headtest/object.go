package headtest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// object is an object in memory: data, and zeros behind it up to size.
// It counts what is read of it.
type object struct {
	t     testing.TB
	data  []byte
	zeros []byte // as many as one read may take
	size  int64
	reads int
	bytes int64
	fail  int // the number of the read that fails; 0 for none
}

var errFetch = errors.New("the read fails")

// fetch is the head.Fetch of the object. It fails the test if a read
// leaves the object or is larger than maxAtOnce.
func (o *object) fetch(off, n int64) ([]byte, error) {
	o.t.Helper()
	if off < 0 || n < 1 || n > o.size-off {
		o.t.Fatalf("it asks for %d bytes at %d of an object of %d bytes", n, off, o.size)
	}
	if n > maxAtOnce {
		o.t.Fatalf("it asks for %d bytes at once", n)
	}
	o.reads, o.bytes = o.reads+1, o.bytes+n
	if o.reads == o.fail {
		return nil, errFetch
	}
	begin, end := min(off, int64(len(o.data))), min(off+n, int64(len(o.data)))
	switch end - begin {
	case n:
		return o.data[off : off+n], nil
	case 0:
		return o.zeros[:n], nil
	}
	piece := make([]byte, n)
	copy(piece, o.data[begin:end])
	return piece, nil
}

// maxAtOnce is how many bytes a format may ask for at once: metadata of
// 1 MiB.
const maxAtOnce = 1 << 20

// matches reports whether an object is of a format.
func (o *object) matches(f head.Format) bool {
	start := make([]byte, min(o.size, head.MaxSignature))
	copy(start, o.data)
	return f.Matches(start)
}

// Read reads the head of an object that is in memory, all at once.
func Read(f head.Format, data string) (head.Head, error) {
	fetch := func(off, n int64) ([]byte, error) { return []byte(data[off : off+n]), nil }
	return f.Read(head.NewSource(fetch, int64(len(data)), int64(len(data))))
}

// Heads returns the heads that Pillow wrote of the formats. It is for
// the packages beside this one, whose tests run in their folders.
func Heads(t testing.TB, formats ...head.Format) (heads []string) {
	t.Helper()
	text, err := os.ReadFile("../testdata/heads.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []struct{ Data string }
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		data, err := base64.StdEncoding.DecodeString(one.Data)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range formats {
			o := object{t: t, data: data, size: int64(len(data))}
			if o.matches(f) {
				heads = append(heads, string(data))
				break
			}
		}
	}
	return heads
}
