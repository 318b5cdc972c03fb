package providertest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

// RunThrough checks that a bucket, empty at first, lists up to a key and no
// further.
func RunThrough(t *testing.T, b providers.Bucket) {
	t.Run("ListThrough", func(t *testing.T) {
		t.Parallel()
		keys := []string{"A", "a-b", "a.jpg", "a/b/c", "a/d", "a0", "b/x", "日本"}
		for _, key := range keys {
			put(t, b, key, "x")
		}
		all, _, err := collect(t.Context(), b, providers.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, opts := range bounds(append(keys, "", "~", "a", "a/", "a/b", "a/b/", "a/b0", "a/e")) {
			want := slices.DeleteFunc(slices.Clone(all), func(k string) bool {
				return !strings.HasPrefix(k, opts.Prefix) || k <= opts.After || opts.Through != "" && k > opts.Through
			})
			if got, _, err := collect(t.Context(), b, opts); err != nil || !slices.Equal(got, want) {
				t.Errorf("%+v:\n got %q\nwant %q\nerror %v", opts, got, want, err)
			}
		}
	})
}

func bounds(keys []string) (all []providers.ListOptions) {
	for _, through := range keys {
		for _, after := range []string{"", "a/", "a0"} {
			all = append(all, providers.ListOptions{After: after, Through: through}, providers.ListOptions{Prefix: "a", After: after, Through: through})
		}
	}
	return all
}
