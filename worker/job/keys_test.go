package job_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/providers/mem/memtest"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

func filled(t *testing.T, n int) (*jobtest.World, providers.Bucket) {
	t.Helper()
	w := jobtest.New()
	for i := range n {
		w.Put(t, fmt.Sprintf("%03d", i), "x")
	}
	return w, open(t, w)
}

func open(t *testing.T, w *jobtest.World) providers.Bucket {
	t.Helper()
	b, err := w.Open(t.Context(), jobtest.Source(""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func cut(t *testing.T, b providers.Bucket, after string, size int64) (shards []job.Shard) {
	t.Helper()
	if err := (job.Env{}).Cut(t.Context(), b, after, size, func(s job.Shard) error {
		shards = append(shards, s)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return shards
}

func list(t *testing.T, b providers.Bucket, s job.Shard) (keys []string) {
	t.Helper()
	objects, err := s.List(t.Context(), b, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		keys = append(keys, o.Key)
	}
	return keys
}

func TestCut_HasEveryKeyOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 9, 10, 11, 30} {
		_, b := filled(t, n)
		shards := cut(t, b, "", 10)
		var keys []string
		for i, s := range shards {
			before := len(keys)
			keys = append(keys, list(t, b, s)...)
			if got := int64(len(keys) - before); got != s.Objects || got > 10 || got == 0 {
				t.Errorf("%d objects: shard %d has %d, and says %d", n, i, got, s.Objects)
			}
			if diff := cmp.Diff(shards[i+1:], cut(t, b, s.Through, 10), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%d objects: after shard %d:\n%s", n, i, diff)
			}
		}
		if len(keys) != n || !slices.IsSorted(keys) || len(slices.Compact(keys)) != n {
			t.Errorf("%d objects: the shards have %d", n, len(keys))
		}
	}
}

func TestCut_StopsWithAnError(t *testing.T) {
	t.Parallel()
	w, b := filled(t, 30)
	full := errors.New("no more")
	calls := 0
	err := (job.Env{}).Cut(t.Context(), b, "", 10, func(job.Shard) error { calls++; return full })
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	w.Fail = func(string, string) error { return &providers.Error{Kind: providers.Denied} }
	if err := (job.Env{}).Cut(t.Context(), b, "", 10, func(job.Shard) error { return nil }); !errors.Is(err, providers.Denied) {
		t.Errorf("got %v", err)
	}
	if _, err := (job.Shard{Through: "9"}).List(t.Context(), b, 1); !errors.Is(err, providers.Denied) {
		t.Errorf("got %v", err)
	}
}

// In each order the shards together have every key once, also when a
// plan continues after a shard.
func TestCut_InEachOrder(t *testing.T) {
	t.Parallel()
	all := jobtest.DifferingKeys(3000)
	jobtest.InEachOrder(t, func(t *testing.T, order keyorder.Order) {
		b := memtest.BucketIn(t, order, all...)
		shards := cut(t, b, "", 70)
		var keys []string
		for i, s := range shards {
			s.Order = 0
			part := list(t, memtest.BucketIn(t, order, all...), s)
			if int64(len(part)) != s.Objects {
				t.Errorf("shard %d has %d objects, and says %d", i, len(part), s.Objects)
			}
			keys = append(keys, part...)
			if i%10 != 0 {
				continue
			}
			rest := cut(t, memtest.BucketIn(t, order, all...), s.Through, 70)
			for k := range rest {
				rest[k].Order = shards[i+1+k].Order // found out later
			}
			if diff := cmp.Diff(shards[i+1:], rest, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("after shard %d:\n%s", i, diff)
			}
		}
		if !slices.Equal(keys, slices.SortedFunc(slices.Values(all), order.Compare)) {
			t.Errorf("the shards have %d of %d objects", len(keys), len(all))
		}
		if last := shards[len(shards)-1]; last.Order != order || shards[0].More == last.More {
			t.Errorf("the last shard is %+v", last)
		}
	})
}

// A shard is a range of keys: List returns the objects that are in the
// bucket now, not those that were there when the shard was planned.
func TestShard_ListsTheBucketAsItIsNow(t *testing.T) {
	t.Parallel()
	w, b := filled(t, 10)
	w.Put(t, "0045", "new")
	if err := b.Delete(t.Context(), "005"); err != nil {
		t.Fatal(err)
	}
	if keys := list(t, b, job.Shard{After: "003", Through: "005"}); !slices.Equal(keys, []string{"004", "0045"}) {
		t.Errorf("got %v", keys)
	}
}

// Each page of a listing costs a request. A shard that ends with a page
// must not ask for the next page.
func TestShard_ListStopsAtItsEnd(t *testing.T) {
	t.Parallel()
	_, b := filled(t, 30)
	counting := &memtest.Counting{Bucket: b}
	list(t, counting, job.Shard{After: "009", Through: "019"})
	if counting.Objects != 10 {
		t.Errorf("%d objects of the listing were taken, want 10", counting.Objects)
	}
}

func TestShard_ListsItsKeys(t *testing.T) {
	t.Parallel()
	w, b := filled(t, 10)
	w.Fail = func(op, key string) error {
		if op == "stat" && key == "005" {
			return &providers.Error{Op: op, Key: key, Kind: providers.Denied}
		}
		return nil
	}
	s := job.Shard{After: "001", Through: "0", Keys: []string{"000", "001", "003x", "002", "002", "005", "009"}}
	objects, err := s.List(t.Context(), b, 2)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range objects {
		got = append(got, fmt.Sprintf("%s %d %v", o.Key, o.Size, providers.KindOf(o.Err)))
	}
	if diff := cmp.Diff([]string{"002 1 ", "003x 0 not-found", "005 0 denied", "009 1 "}, got); diff != "" {
		t.Error(diff)
	}
	if ops := w.Ops("list"); len(ops) > 0 {
		t.Errorf("it listed: %v", ops)
	}
	w.Fail = func(op, key string) error { return &providers.Error{Op: op, Key: key, Kind: providers.Unavailable} }
	if _, err := s.List(t.Context(), b, 2); !errors.Is(err, providers.Unavailable) {
		t.Errorf("got %v", err)
	}
	if objects, err := (job.Shard{After: "9", Keys: s.Keys}).List(t.Context(), b, 2); err != nil || len(objects) != 0 {
		t.Errorf("after all keys: %v, %v", objects, err)
	}
}

// endlessBucket lists keys in order, without an end.
type endlessBucket struct{ providers.Bucket }

func (endlessBucket) List(context.Context, providers.ListOptions) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		for i := 0; yield(providers.Object{Key: fmt.Sprintf("a%012d", i)}, nil); i++ {
		}
	}
}

// A server that lists a range without an end does not fill the memory.
func TestShard_ListsNoEndlessRange(t *testing.T) {
	t.Parallel()
	s := job.Shard{Through: "b", Objects: 1500, Order: keyorder.Bytes}
	_, err := s.List(t.Context(), endlessBucket{}, 1)
	const want = `from "" to "b" the bucket lists more than 150000 objects; there were 1500 when the job was planned`
	if !errors.Is(err, providers.Invalid) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v", err)
	}
}

// Work on a shard with a Listing makes no request, wherever it goes on.
func TestListing_SparesTheSecondListing(t *testing.T) {
	t.Parallel()
	_, b := filled(t, 25)
	shards := cut(t, b, "", 10)
	for i, s := range shards {
		want := list(t, b, job.Shard{After: s.After, Through: s.Through})
		for _, after := range append([]string{s.After}, want...) {
			s.After = after
			if got := list(t, nil, s); !slices.Equal(got, want[len(want)-len(got):]) ||
				len(got) != len(want)-1-slices.Index(want, after) {
				t.Errorf("shard %d after %q: %q", i, after, got)
			}
		}
	}
	if _, err := (job.Shard{Listing: []byte("no listing")}).List(t.Context(), nil, 1); err == nil {
		t.Error("a broken listing is accepted")
	}
}
