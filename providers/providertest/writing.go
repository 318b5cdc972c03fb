package providertest

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

func writing() suite {
	return suite{
		{"PutTells", putTells},
		{"PutTwice", putTwice},
		{"PutIfAbsent", putIfAbsent},
		{"PutIfMatch", putIfMatch},
		{"PutLarge", putLarge},
		{"PutLargeIfAbsent", putLargeIfAbsent},
		{"AtOnce", atOnce},
	}
}

func putTells(t *testing.T, b providers.Bucket) {
	o := put(t, b, "k", "12345")
	if o.Key != "k" || o.Size != 5 {
		t.Errorf("put tells %+v", o)
	}
	if told, err := b.Stat(t.Context(), "k"); err != nil || told.ETag != o.ETag || told.Size != 5 || told.Key != "k" || told.ModTime.IsZero() {
		t.Errorf("put tells %+v, stat %+v, error %v", o, told, err)
	}
}

func putTwice(t *testing.T, b providers.Bucket) {
	for range 2 {
		put(t, b, "k", "same")
		wantContent(t, b, "k", "same")
	}
	put(t, b, "k", "other and longer")
	wantContent(t, b, "k", "other and longer")
	put(t, b, "k", "short")
	wantContent(t, b, "k", "short")
	if keys, _, err := collect(t.Context(), b, providers.ListOptions{}); err != nil || len(keys) != 1 {
		t.Errorf("listed %q, %v", keys, err)
	}
}

func putIfAbsent(t *testing.T, b providers.Bucket) {
	opts := providers.WriteOptions{IfAbsent: true}
	if _, err := b.Put(t.Context(), "dir/k", strings.NewReader("first"), opts); err != nil {
		t.Fatal(err)
	}
	_, err := b.Put(t.Context(), "dir/k", strings.NewReader("second"), opts)
	wantKind(t, "put", err, providers.Conflict)
	wantContent(t, b, "dir/k", "first")
}

func putIfMatch(t *testing.T, b providers.Bucket) {
	old := put(t, b, "k", "old").ETag
	if _, err := b.Put(t.Context(), "k", strings.NewReader("new"), providers.WriteOptions{IfMatch: old}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"k", "missing"} {
		_, err := b.Put(t.Context(), key, strings.NewReader("newer"), providers.WriteOptions{IfMatch: old})
		wantKind(t, "put", err, providers.Conflict)
	}
	wantContent(t, b, "k", "new")
	if keys, _, err := collect(t.Context(), b, providers.ListOptions{}); err != nil || len(keys) != 1 {
		t.Errorf("listed %q, %v", keys, err)
	}
}

const large = 20 << 20 // bytes; several parts of a multipart upload

const medium = 9 << 20 // bytes; just more than one part

// generated is a body that tells neither its size nor how to rewind. No two
// of its parts are alike.
func generated(n int64) io.Reader {
	block := make([]byte, 1<<20-13)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(block)
	return struct{ io.Reader }{io.LimitReader(&repeated{block: block}, n)}
}

// repeated is a block again and again.
type repeated struct {
	block []byte
	at    int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.block[r.at:])
	r.at = (r.at + n) % len(r.block)
	return n, nil
}

func putLarge(t *testing.T, b providers.Bucket) {
	want := sha256.New()
	o, err := b.Put(t.Context(), "large", io.TeeReader(generated(large+1), want), providers.WriteOptions{})
	if err != nil || o.Size != large+1 {
		t.Fatalf("put tells %+v, error %v", o, err)
	}
	r, err := b.Open(t.Context(), "large", providers.ReadOptions{IfMatch: o.ETag})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	got := sha256.New()
	n, err := io.Copy(got, r)
	if err != nil || n != large+1 || string(got.Sum(nil)) != string(want.Sum(nil)) {
		t.Errorf("read %d bytes, error %v, or other content", n, err)
	}
	if part, _, err := read(t.Context(), b, "large", providers.ReadOptions{Offset: large, Length: 10}); err != nil || len(part) != 1 {
		t.Errorf("the last byte: %q, %v", part, err)
	}
}

func putLargeIfAbsent(t *testing.T, b providers.Bucket) {
	put(t, b, "k", "old")
	_, err := b.Put(t.Context(), "k", generated(medium), providers.WriteOptions{IfAbsent: true})
	wantKind(t, "put", err, providers.Conflict)
	_, err = b.Put(t.Context(), "k", generated(medium), providers.WriteOptions{IfMatch: "0123456789abcdef0123456789abcdef"})
	wantKind(t, "put", err, providers.Conflict)
	wantContent(t, b, "k", "old")
}

// Everything at once, for the race detector; and of many that create one key,
// one wins.
func atOnce(t *testing.T, b providers.Bucket) {
	var wg sync.WaitGroup
	var won atomic.Int64
	for i := range 8 {
		wg.Go(func() {
			own := fmt.Sprintf("own/%d", i)
			put(t, b, own, own)
			wantContent(t, b, own, own)
			if _, _, err := collect(t.Context(), b, providers.ListOptions{}); err != nil {
				t.Error(err)
			}
			if err := b.Delete(t.Context(), own); err != nil {
				t.Error(err)
			}
			put(t, b, "shared", "the same")
		})
		wg.Go(func() {
			_, err := b.Put(t.Context(), "once", strings.NewReader("x"), providers.WriteOptions{IfAbsent: true})
			if err == nil {
				won.Add(1)
				return
			}
			wantKind(t, "put", err, providers.Conflict)
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d writers created the key, want 1", won.Load())
	}
	wantContent(t, b, "shared", "the same")
	keys, _, err := collect(t.Context(), b, providers.ListOptions{})
	if err != nil || len(keys) != 2 {
		t.Errorf("left %q, %v", keys, err)
	}
}
