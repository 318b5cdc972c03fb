package providertest

import (
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

// RunThrough checks that a bucket, empty at first, lists up to a key
// and no further.
func RunThrough(t *testing.T, b providers.Bucket) {
	t.Run("ListThrough", func(t *testing.T) {
		t.Parallel()
		keys := []string{"A", "a-b", "a.jpg", "a/b/c", "a/d", "a0", "b/x", "日本", "😀", "（１）"}
		for _, key := range keys {
			put(t, b, key, "x")
		}
		all := wantOrder(t, b, keys)
		more := []string{"", "~", "a", "a/", "a/b", "a/b/", "a/b0", "a/e"}
		for _, opts := range bounds(append(keys, more...)) {
			wantListed(t, b, opts, all)
		}
	})
}

func bounds(keys []string) (all []providers.ListOptions) {
	for _, through := range keys {
		for _, after := range []string{"", "a/", "a0"} {
			opts := providers.ListOptions{After: after, Through: through}
			all = append(all, opts)
			opts.Prefix = "a"
			all = append(all, opts)
		}
	}
	return all
}
