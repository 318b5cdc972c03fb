package coordinator

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// The error list has the order of the bucket, whatever that is. Each
// object is retried once, also if the plan continues after a crash.
func TestPlanRetry_HasEachObjectOnce(t *testing.T) {
	t.Parallel()
	var keys []string
	for i := range 2*retryShardSize + 5 {
		keys = append(keys, fmt.Sprintf("%s%03d.jpg", []string{"a/", "a-b/", "😀", "（"}[i%4], (i*37)%1000))
	}
	twice := append(slices.Clone(keys), keys[3], keys[300])
	list := func(yield func(tasks.ObjectError, error) bool) {
		for _, key := range twice {
			if !yield(tasks.ObjectError{Key: key}, nil) {
				return
			}
		}
	}
	all := retryShards(t, list, 0)
	var planned []string
	for _, s := range all {
		if s.Objects != int64(len(s.Keys)) || s.After != "" {
			t.Errorf("shard %+v", s)
		}
		planned = append(planned, s.Keys...)
	}
	if !slices.Equal(planned, keys) || len(all) != 3 {
		t.Errorf("%d shards with %d of %d objects", len(all), len(planned), len(keys))
	}
	for saved := range len(all) + 1 {
		if diff := cmp.Diff(all[saved:], retryShards(t, list, saved), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("after %d shards:\n%s", saved, diff)
		}
	}
}

func retryShards(t *testing.T, list iter.Seq2[tasks.ObjectError, error], saved int) (shards []job.Shard) {
	t.Helper()
	err := planRetry(list, saved, func(s job.Shard) error {
		shards = append(shards, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return shards
}

func TestPlanRetry_Fails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	err := planRetry(func(yield func(tasks.ObjectError, error) bool) {
		yield(tasks.ObjectError{}, broken)
	}, 0, nil)
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}
