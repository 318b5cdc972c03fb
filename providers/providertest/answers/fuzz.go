package answers

import (
	"io"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

// FuzzListing fuzzes the answers to a listing. All objects have a key
// that belongs to the listing, and a size.
func FuzzListing(f *testing.F, open Open, seeds ...[2]string) {
	add(f, seeds)
	f.Fuzz(func(t *testing.T, answer []byte) {
		b := open(t, client(answer))
		opts := providers.ListOptions{Prefix: "a/", After: "a/0"}
		for o, err := range b.List(t.Context(), opts) {
			if err != nil {
				checkError(t, "list", err)
				continue
			}
			checkObject(t, "list", o)
			if !strings.HasPrefix(o.Key, opts.Prefix) || o.Key == opts.After {
				t.Fatalf("listed %q", o.Key)
			}
		}
	})
}

// FuzzError fuzzes the answers to every operation on an object that
// stores or deletes. They are errors, most of them.
func FuzzError(f *testing.F, open Open, seeds ...[2]string) {
	add(f, seeds)
	f.Fuzz(func(t *testing.T, answer []byte) {
		checkError(t, "delete", open(t, client(answer)).Delete(t.Context(), "k"))
		for op, opts := range map[string]providers.WriteOptions{
			"put": {}, "put if absent": {IfAbsent: true},
		} {
			b := open(t, client(answer))
			o, err := b.Put(t.Context(), "k", strings.NewReader("text"), opts)
			checkError(t, op, err)
			if err == nil && (o.ETag == "" || o.Key == "") {
				t.Fatalf("%s: stored %+v", op, o)
			}
		}
	})
}

// FuzzHead fuzzes the answers to the operations that describe an object
// and read it. A read without an error returns as many bytes as it
// says.
func FuzzHead(f *testing.F, open Open, seeds ...[2]string) {
	add(f, seeds)
	f.Fuzz(func(t *testing.T, answer []byte) {
		o, err := open(t, client(answer)).Stat(t.Context(), "k")
		checkError(t, "stat", err)
		if err == nil {
			checkObject(t, "stat", o)
		}
		for op, opts := range map[string]providers.ReadOptions{
			"get": {}, "get a part": {Offset: 1, Length: 3}, "get if match": {IfMatch: "e"},
		} {
			read(t, op, open(t, client(answer)), opts)
		}
	})
}

func read(t *testing.T, op string, b providers.Bucket, opts providers.ReadOptions) {
	t.Helper()
	r, err := b.Open(t.Context(), "k", opts)
	checkError(t, op, err)
	if err != nil {
		return
	}
	checkObject(t, op, r.Object)
	n, err := io.Copy(io.Discard, r)
	checkError(t, op, err)
	want := max(0, r.Object.Size-opts.Offset)
	if opts.Length > 0 {
		want = min(want, opts.Length)
	}
	if n > want || err == nil && n != want {
		t.Fatalf("%s: %d bytes of %d, %v", op, n, want, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}
