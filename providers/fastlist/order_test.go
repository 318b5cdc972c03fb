package fastlist_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/fastlist"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/providers/mem/memtest"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
)

// orderShapes returns keys on which the orders disagree.
func orderShapes() []shape {
	names := []string{"a/", "a-b/", "a.jpg/", "😀/", "（１）/", "𠮷/", "ﾊ/", "a b/", "日本/"}
	return []shape{
		{"Directories", func(n int) (keys []string) {
			for i := range n {
				keys = append(keys, fmt.Sprintf("%s%06d.jpg", names[i%len(names)], i))
			}
			return keys
		}},
		{"DifferencesComeLate", func(n int) (keys []string) {
			for i := range n {
				late := names[max(0, i-n/2)%len(names)]
				keys = append(keys, fmt.Sprintf("a%d%s%06d.jpg", 9*i/n, late, i))
			}
			return keys
		}},
		{"EachNameIsOther", func(n int) (keys []string) {
			r := rand.New(rand.NewPCG(3, 4))
			for i := range n {
				keys = append(keys, fmt.Sprintf("%s%s%x", names[r.IntN(len(names))], names[r.IntN(len(names))], i))
			}
			return keys
		}},
	}
}

// Many streams list a bucket of any order as one does, and faster. They
// do not know the order before.
func TestList_EachOrder(t *testing.T) {
	t.Parallel()
	for _, order := range keyorder.Unknown.Each() {
		for _, shape := range orderShapes() {
			t.Run(order.String()+"/"+shape.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					keys := shape.make(60_000)
					slices.SortFunc(keys, order.Compare)
					for _, known := range []keyorder.Order{0, order} {
						s := &simulated{keys: keys, order: order, page: 1000, latency: millis(100)}
						began := time.Now()
						wantList(t, fastlist.WithParallelListing(s, 16), providers.ListOptions{Order: known}, keys)
						if took := time.Since(began); took > 2500*time.Millisecond || s.lists.Load() > 60*150/100+16 {
							t.Errorf("%s with at most %d requests at once, %d in all; one stream takes 6 s", took, s.most.Load(), s.lists.Load())
						}
					}
				})
			})
		}
	}
}

// Objects come and go while many streams list. Those that stay are
// listed once, in every order.
func TestList_WhileObjectsChange(t *testing.T) {
	t.Parallel()
	for _, order := range keyorder.Unknown.Each() {
		t.Run(order.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				keys := orderShapes()[1].make(60_000)
				slices.SortFunc(keys, order.Compare)
				r := rand.New(rand.NewPCG(5, 6))
				s := &simulated{keys: keys, order: order, page: 1000, latency: millis(100)}
				stay := func(key string) bool { return key[len(key)-1]%2 == 0 }
				s.before = func() {
					some := slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !stay(key) && r.IntN(3) == 0 })
					s.keys = some
				}
				got, err := providertest.Keys(t.Context(), fastlist.WithParallelListing(s, 16), providers.ListOptions{})
				if err != nil || !slices.IsSortedFunc(got, order.Compare) || len(slices.Compact(slices.Clone(got))) != len(got) {
					t.Fatalf("%d keys, %v; sorted: %v", len(got), err, slices.IsSortedFunc(got, order.Compare))
				}
				gone := func(key string) bool { return !stay(key) }
				want := slices.DeleteFunc(slices.Clone(keys), gone)
				if s.most.Load() < 4 {
					t.Errorf("at most %d requests at once", s.most.Load())
				}
				if kept := slices.DeleteFunc(got, gone); !slices.Equal(kept, want) {
					t.Errorf("%d of %d keys that stay", len(kept), len(want))
				}
			})
		})
	}
}

func TestList_PassesTheSuiteInEachOrder(t *testing.T) {
	t.Parallel()
	for _, order := range keyorder.Unknown.Each() {
		t.Run(order.String(), func(t *testing.T) {
			t.Parallel()
			providertest.RunListing(t, func(t testing.TB) providers.Bucket {
				t.Helper()
				return fastlist.WithParallelListing(memtest.BucketIn(t, order), 4)
			})
		})
	}
}

// wanted returns what a listing of keys in an order must return.
func wanted(order keyorder.Order, keys []string, opts providers.ListOptions) []string {
	return slices.DeleteFunc(slices.Clone(keys), func(k string) bool {
		return !strings.HasPrefix(k, opts.Prefix) || opts.After != "" && order.Compare(k, opts.After) <= 0 ||
			opts.Through != "" && order.Compare(k, opts.Through) > 0
	})
}
