package providertest

import (
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

func writing() suite {
	return suite{
		{"PutDescribes", putDescribes},
		{"PutTwice", putTwice},
		{"PutIfAbsent", putIfAbsent},
		{"PutIfMatch", putIfMatch},
		{"PutLarge", putLarge},
		{"PutLargeIfAbsent", putLargeIfAbsent},
		{"Concurrently", concurrently},
	}
}

func putDescribes(t *testing.T, b providers.Bucket) {
	o := put(t, b, "k", "12345")
	if o.Key != "k" || o.Size != 5 {
		t.Errorf("put returns %+v", o)
	}
	described, err := b.Stat(t.Context(), "k")
	if err != nil || described.ETag != o.ETag || described.Size != 5 ||
		described.Key != "k" || described.ModTime.IsZero() {
		t.Errorf("put returns %+v, stat %+v, error %v", o, described, err)
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
	wantKeys(t, b, 1)
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
	opts := providers.WriteOptions{IfMatch: put(t, b, "k", "old").ETag}
	if _, err := b.Put(t.Context(), "k", strings.NewReader("new"), opts); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"k", "missing"} {
		_, err := b.Put(t.Context(), key, strings.NewReader("newer"), opts)
		wantKind(t, "put", err, providers.Conflict)
	}
	wantContent(t, b, "k", "new")
	wantKeys(t, b, 1)
}

func putLarge(t *testing.T, b providers.Bucket) {
	want := sha256.New()
	body := io.TeeReader(generated(large+1), want)
	o, err := b.Put(t.Context(), "large", body, providers.WriteOptions{})
	if err != nil || o.Size != large+1 {
		t.Fatalf("put returns %+v, error %v", o, err)
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
	opts := providers.ReadOptions{Offset: large, Length: 10}
	if part, _, err := read(t.Context(), b, "large", opts); err != nil || len(part) != 1 {
		t.Errorf("the last byte: %q, %v", part, err)
	}
}

func putLargeIfAbsent(t *testing.T, b providers.Bucket) {
	put(t, b, "k", "old")
	for _, opts := range []providers.WriteOptions{
		{IfAbsent: true}, {IfMatch: "0123456789abcdef0123456789abcdef"},
	} {
		_, err := b.Put(t.Context(), "k", generated(medium), opts)
		wantKind(t, "put", err, providers.Conflict)
	}
	wantContent(t, b, "k", "old")
}

// concurrently calls everything at the same time, for the race
// detector. Of many writers that create one key, one must win.
func concurrently(t *testing.T, b providers.Bucket) {
	var wg sync.WaitGroup
	var won atomic.Int64
	for i := range 8 {
		wg.Go(func() {
			own := fmt.Sprintf("own/%d", i)
			put(t, b, own, own)
			wantContent(t, b, own, own)
			if _, err := Keys(t.Context(), b, providers.ListOptions{}); err != nil {
				t.Error(err)
			}
			if err := b.Delete(t.Context(), own); err != nil {
				t.Error(err)
			}
			put(t, b, "shared", "the same")
		})
		wg.Go(func() {
			opts := providers.WriteOptions{IfAbsent: true}
			_, err := b.Put(t.Context(), "once", strings.NewReader("x"), opts)
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
	wantKeys(t, b, 2)
}
