package providertest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

func listing() suite {
	return suite{
		{"ListEmpty", listEmpty},
		{"ListOrder", listOrder},
		{"ListPages", listPages},
		{"ListDescribes", listDescribes},
		{"ListCancelled", listCancelled},
	}
}

func listEmpty(t *testing.T, b providers.Bucket) { wantKeys(t, b, 0) }

// listOrder has keys that differ in the orders of package keyorder.
func listOrder(t *testing.T, b providers.Bucket) {
	keys := []string{
		"A", "a b", "a-b", "a-b-c/d", "a.jpg", "a/ b", "a/b-c", "a/b/c", "a/b/d/e",
		"a/b0", "a0", "a00/b", "aé", "b", "z/é/ü", "日本/x", "日本0",
		"（１）.jpg", "ﾊ/1.jpg", "𠮷野.jpg", "😀.jpg",
	}
	for i := range keys {
		put(t, b, keys[len(keys)-1-i], "x")
	}
	all := wantOrder(t, b, keys)
	for _, c := range []providers.ListOptions{
		{Prefix: "a"}, {Prefix: "a/"}, {Prefix: "a/b"}, {Prefix: "a/b/"}, {Prefix: "a/b/c"},
		{Prefix: "日"}, {Prefix: "nothing"}, {Prefix: "b/"},
		{After: "a-b"}, {After: "a/"}, {After: "a/b"}, {After: "a/b/c"}, {After: "a/b/zzz"},
		{After: "a/~"}, {After: "~"}, {After: "日本0"}, {After: "😀.jpg"}, {After: "（１）.jpg"},
		{Prefix: "a/", After: "a/b-c"}, {Prefix: "a/", After: "A"}, {Prefix: "a/", After: "b"},
		{Prefix: "a", After: "a/b/d/e"}, {After: "a/b/c", Through: "a-b-c/d"},
		{After: "a-b-c/d", Through: "a/b/c"}, {After: "😀.jpg", Through: "（１）.jpg"},
	} {
		wantListed(t, b, c, all)
	}
}

// wantOrder checks that a bucket lists exactly the given keys, in an
// order that it says it may have. It returns the keys as listed.
func wantOrder(t *testing.T, b providers.Bucket, keys []string) []string {
	t.Helper()
	all, err := Keys(t.Context(), b, providers.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(slices.Sorted(slices.Values(all)), slices.Sorted(slices.Values(keys))) {
		t.Fatalf("listed %q, want %q", all, keys)
	}
	order := providers.OrderOf(b)
	if !slices.IsSortedFunc(all, order.Compare) {
		t.Fatalf("the order is said to be %s; listed %q", order, all)
	}
	return all
}

// wantListed checks a listing. all holds the keys of the bucket in its
// order. If the orders that the bucket may have disagree on whether a
// key lies within the bounds, it may be listed or not.
func wantListed(t *testing.T, b providers.Bucket, opts providers.ListOptions, all []string) {
	t.Helper()
	got, err := Keys(t.Context(), b, opts)
	if err != nil {
		t.Errorf("%+v: %v", opts, err)
	}
	order := providers.OrderOf(b)
	want := slices.DeleteFunc(slices.Clone(all), func(key string) bool {
		isOutside := !strings.HasPrefix(key, opts.Prefix) || key == opts.After ||
			order.Before(key, opts.After) ||
			opts.Through != "" && order.Before(opts.Through, key)
		isInside := (opts.After == "" || order.Before(opts.After, key)) &&
			(opts.Through == "" || key == opts.Through || order.Before(key, opts.Through))
		return isOutside || !isInside && !slices.Contains(got, key)
	})
	if !slices.Equal(got, want) {
		t.Errorf("%+v (%s):\n got %q\nwant %q", opts, order, got, want)
	}
}

// listPages has more objects than any cloud puts on a page.
func listPages(t *testing.T, b providers.Bucket) {
	const n = 1201
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("p/%d/%04d", i%3, i)
	}
	each(t, keys, func(ctx context.Context, key string) error {
		_, err := b.Put(ctx, key, strings.NewReader(key), providers.WriteOptions{})
		return err
	})
	slices.Sort(keys) // all orders agree on them
	got, err := Keys(t.Context(), b, providers.ListOptions{Prefix: "p/"})
	if err != nil || !slices.Equal(got, keys) {
		t.Fatalf("%d keys of %d, error %v", len(got), n, err)
	}
	for _, from := range []int{0, 999, 1000, 1001, n - 2, n - 1} {
		got, err := Keys(t.Context(), b, providers.ListOptions{After: keys[from]})
		if err != nil || !slices.Equal(got, keys[from+1:]) {
			t.Errorf("after key %d: %d keys, want %d; error %v", from, len(got), n-1-from, err)
		}
	}
	count := 0
	for _, err := range b.List(t.Context(), providers.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if count++; count == 1100 {
			break
		}
	}
}

func listDescribes(t *testing.T, b providers.Bucket) {
	put(t, b, "k", "12345")
	put(t, b, "zero", "")
	var objects []providers.Object
	for o, err := range b.List(t.Context(), providers.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, o)
	}
	if len(objects) != 2 {
		t.Fatalf("%d objects, want 2", len(objects))
	}
	for i, size := range []int64{5, 0} {
		o := objects[i]
		if o.Size != size || o.ETag == "" || strings.Contains(o.ETag, `"`) || o.ModTime.IsZero() {
			t.Errorf("listed as %+v", o)
		}
		described, err := b.Stat(t.Context(), o.Key)
		if err != nil || described.ETag != o.ETag || described.Size != size {
			t.Errorf("stat returns %+v, the listing %+v, error %v", described, o, err)
		}
	}
}

func listCancelled(t *testing.T, b providers.Bucket) {
	for _, key := range []string{"a", "b", "c"} {
		put(t, b, key, "x")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	yields := 0
	for _, err := range b.List(ctx, providers.ListOptions{}) {
		yields++
		if !providers.IsContext(ctx, err) {
			t.Errorf("got %v, want the context's error", err)
		}
	}
	if yields != 1 {
		t.Errorf("yielded %d times, want 1: the error", yields)
	}
}

// each calls do for every key, many at a time.
func each(t testing.TB, keys []string, do func(context.Context, string) error) {
	t.Helper()
	var wg sync.WaitGroup
	next := make(chan string)
	for range 16 {
		wg.Go(func() {
			for key := range next {
				if err := do(t.Context(), key); err != nil {
					t.Errorf("%.60q: %v", key, err)
				}
			}
		})
	}
	for _, key := range keys {
		next <- key
	}
	close(next)
	wg.Wait()
}
