package keysearch_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/providers/mem/memtest"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
	"github.com/stevedore-jobs/stevedore/worker/keysearch"
)

// Whatever the order, each name is found that is there, and no other.
func TestSearch_FindsNamesInEachOrder(t *testing.T) {
	t.Parallel()
	keys := jobtest.DifferingKeys(3000)
	jobtest.InEachOrder(t, func(t *testing.T, order keyorder.Order) {
		b := memtest.BucketIn(t, order, keys...)
		random := rand.New(rand.NewPCG(3, 4))
		for range 30 {
			var names []string
			want := map[string]string{}
			for range 1 + random.IntN(20) {
				key := keys[random.IntN(len(keys))]
				names = append(names, key, key+".no", strings.TrimSuffix(key, ".jpg"))
				want[key] = key
			}
			found, err := exactSearch("").Find(t.Context(), b, names)
			if err != nil || !maps.Equal(found, want) {
				t.Fatalf("%d of %d found, %v", len(found), len(want), err)
			}
		}
		found, err := exactSearch("a/").Find(t.Context(), b, keys)
		for _, key := range keys {
			if (found[key] != "") != strings.HasPrefix(key, "a/") {
				t.Errorf("%s is found as %q, %v", key, found[key], err)
			}
		}
	})
}

func exactSearch(prefix string) keysearch.Search {
	return keysearch.Search{Prefix: prefix, NameOf: func(key string) (string, bool) { return key, true }}
}

// A name may have more than one key, and one name may begin another.
func TestSearch_FindsKeysThatBelongToNames(t *testing.T) {
	t.Parallel()
	keys := []string{"a", "a-b.1", "a-b.2", "a.1", "a.b.1", "a/x.1", "b.1", "😀.1", "😀.2", "（.1"}
	want := map[string]string{"a": "a.1", "a-b": "a-b.1", "a.b": "a.b.1", "a/x": "a/x.1", "😀": "😀.1", "（": "（.1"}
	jobtest.InEachOrder(t, func(t *testing.T, order keyorder.Order) {
		b := memtest.BucketIn(t, order, keys...)
		search := keysearch.Search{NameOf: func(key string) (string, bool) {
			at := strings.LastIndexByte(key, '.')
			return key[:max(at, 0)], at > 0
		}}
		names := slices.Collect(maps.Keys(want))
		if found, err := search.Find(t.Context(), b, append(names, "none", "a/")); err != nil || !maps.Equal(found, want) {
			t.Errorf("%v, %v", found, err)
		}
	})
}

// Parts with many other keys are left out, and the listing ends behind
// the last name.
func TestSearch_ListsLittle(t *testing.T) {
	t.Parallel()
	var keys []string
	for i := range 20_000 {
		keys = append(keys, fmt.Sprintf("%05d", i))
	}
	jobtest.InEachOrder(t, func(t *testing.T, order keyorder.Order) {
		counting := &memtest.Counting{Bucket: memtest.BucketIn(t, order, keys...)}
		found, err := exactSearch("").Find(t.Context(), counting, []string{keys[7000], keys[7], keys[7001], keys[7500], "07500x"})
		if err != nil || len(found) != 4 || counting.Objects > 2*1000+2+500 {
			t.Errorf("%d objects were listed; found %v, %v", counting.Objects, found, err)
		}
	})
	w := jobtest.New()
	b, err := w.Open(t.Context(), jobtest.Source(""))
	if err != nil {
		t.Fatal(err)
	}
	w.Fail = func(string, string) error { return &providers.Error{Kind: providers.Denied} }
	if _, err := exactSearch("").Find(t.Context(), b, []string{"a"}); providers.KindOf(err) != providers.Denied {
		t.Error(err)
	}
}

// A search for many names ends with its context, also if the bucket
// does not look at it.
func TestSearch_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	stopped := errors.New("the job is stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stopped)
	b := deafBucket{memtest.BucketIn(t, keyorder.Bytes, "a")}
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("a%04d", i)
	}
	if _, err := exactSearch("").Find(ctx, b, names); !errors.Is(err, stopped) {
		t.Error(err)
	}
}

// deafBucket lists whatever happens to the context.
type deafBucket struct{ providers.Bucket }

func (b deafBucket) List(ctx context.Context, opts providers.ListOptions) iter.Seq2[providers.Object, error] {
	return b.Bucket.List(context.WithoutCancel(ctx), opts)
}
