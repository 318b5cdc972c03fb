package providertest

import (
	"context"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

func reading() suite {
	return suite{
		{"Ranges", ranges},
		{"InvalidRanges", invalidRanges},
		{"EmptyObject", emptyObject},
		{"ReadIfMatch", readIfMatch},
		{"MissingObject", missingObject},
		{"OddKeys", oddKeys},
	}
}

func ranges(t *testing.T, b providers.Bucket) {
	const content = "0123456789"
	put(t, b, "k", content)
	for _, c := range []struct {
		offset, length int64
		want           string
	}{
		{0, 0, content}, {0, 1, "0"}, {0, 10, content}, {0, 99, content},
		{3, 0, "3456789"}, {3, 4, "3456"},
		{9, 0, "9"}, {9, 1, "9"}, {9, 9, "9"}, {5, 99, "56789"},
	} {
		opts := providers.ReadOptions{Offset: c.offset, Length: c.length}
		got, o, err := read(t.Context(), b, "k", opts)
		if err != nil || got != c.want || o.Size != 10 || o.ETag == "" || o.Key != "k" {
			t.Errorf("%+v: got %q of %+v, want %q; error %v", opts, got, o, c.want, err)
		}
	}
}

func invalidRanges(t *testing.T, b providers.Bucket) {
	put(t, b, "k", "0123456789")
	for _, opts := range []providers.ReadOptions{
		{Offset: 10}, {Offset: 10, Length: 1}, {Offset: 11}, {Offset: 1 << 40, Length: 5},
		{Offset: -1}, {Length: -1},
	} {
		_, _, err := read(t.Context(), b, "k", opts)
		wantKind(t, "get", err, providers.Invalid)
	}
}

func emptyObject(t *testing.T, b providers.Bucket) {
	put(t, b, "k", "")
	for _, opts := range []providers.ReadOptions{
		{}, {Length: 5}, {Offset: 5}, {Offset: 5, Length: 5},
	} {
		if got, o, err := read(t.Context(), b, "k", opts); err != nil || got != "" || o.Size != 0 {
			t.Errorf("%+v: got %q of %+v, error %v", opts, got, o, err)
		}
	}
}

func readIfMatch(t *testing.T, b providers.Bucket) {
	put(t, b, "k", "old")
	old, err := b.Stat(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	for _, opts := range []providers.ReadOptions{
		{IfMatch: old.ETag}, {IfMatch: old.ETag, Length: 3},
	} {
		if got, _, err := read(t.Context(), b, "k", opts); err != nil || got != "old" {
			t.Errorf("got %q, %v", got, err)
		}
	}

	put(t, b, "k", "new")
	if now, err := b.Stat(t.Context(), "k"); err != nil || now.ETag == old.ETag {
		t.Errorf("other content, same ETag %q; error %v", now.ETag, err)
	}
	opts := providers.ReadOptions{IfMatch: old.ETag, Offset: 1, Length: 1}
	_, _, err = read(t.Context(), b, "k", opts)
	wantKind(t, "get", err, providers.Conflict)
}

func missingObject(t *testing.T, b providers.Bucket) {
	put(t, b, "dir/k", "x")
	for _, key := range []string{"missing", "dir", "dir/k/below", "dir/missing"} {
		_, err := b.Stat(t.Context(), key)
		wantKind(t, "stat", err, providers.NotFound)
		_, _, err = read(t.Context(), b, key, providers.ReadOptions{})
		wantKind(t, "get", err, providers.NotFound)
		_, _, err = read(t.Context(), b, key, providers.ReadOptions{Offset: 1, Length: 1})
		wantKind(t, "get", err, providers.NotFound)
		for range 2 {
			if err := b.Delete(t.Context(), key); err != nil {
				t.Errorf("delete missing: %v", err)
			}
		}
	}
	wantContent(t, b, "dir/k", "x")
}

// oddKeys has names that clients and servers are known to escape
// wrongly.
func oddKeys(t *testing.T, b providers.Bucket) {
	keys := []string{
		"a b", "a+b", "a%20b", "a%b", "%2e%2e", "a#b", "a?b=c&d", "a&b;c:d,e=f",
		"a'\"<>b", "(a)[b]{c}", "a~!@$^*|`b", "trailing ", " leading",
		"a..b", ".hidden", "...", "-dash",
		"日本語/画像 (1).jpg", "🚢.png", "caf\u00e9", "cafe\u0301", "a/😀/b",
		// 1024 bytes
		strings.Repeat(strings.Repeat("0123456789", 20)+"/", 5) + strings.Repeat("k", 19),
	}
	each(t, keys, func(_ context.Context, key string) error {
		put(t, b, key, "at "+key)
		return nil
	})
	listed := map[string]bool{}
	for o, err := range b.List(t.Context(), providers.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		listed[o.Key] = true
	}
	for _, key := range keys {
		if !listed[key] {
			t.Errorf("%.60q is not listed", key)
		}
		wantOddKey(t, b, key)
	}
	each(t, keys, func(ctx context.Context, key string) error { return b.Delete(ctx, key) })
	wantKeys(t, b, 0)
}

func wantOddKey(t *testing.T, b providers.Bucket, key string) {
	t.Helper()
	wantContent(t, b, key, "at "+key)
	if _, err := b.Stat(t.Context(), key); err != nil {
		t.Errorf("stat: %v", err)
	}
	got, err := Keys(t.Context(), b, providers.ListOptions{Prefix: key})
	if err != nil || len(got) == 0 || got[0] != key {
		t.Errorf("with prefix %.60q: %q, %v", key, got, err)
	}
	got, err = Keys(t.Context(), b, providers.ListOptions{Prefix: key, After: key})
	if err != nil || len(got) != 0 {
		t.Errorf("after %.60q: %q, %v", key, got, err)
	}
}
