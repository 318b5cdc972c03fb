package worker_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// flakyJob is a sharded job over the objects "000", "001" and so on.
// Some objects fail.
type flakyJob struct {
	objects   int
	shardSize int
	fails     func(key string, retry bool) bool

	mu      sync.Mutex
	retried []string // objects of the shards of retries
	earlier []byte   // the result that the last Finish was to amend
}

// Plan implements job.Sharded.
func (f *flakyJob) Plan(
	_ context.Context, _ tasks.BuildManifest, _ job.Env, after string, emit func(job.Shard) error,
) error {
	for i := 0; i < f.objects; i += f.shardSize {
		through := fmt.Sprintf("%03d", i+f.shardSize-1)
		s := job.Shard{After: after, Through: through, Objects: int64(f.shardSize)}
		if after >= through {
			continue
		}
		after = through
		if err := emit(s); err != nil {
			return err
		}
	}
	return nil
}

// Work implements job.Sharded.
func (f *flakyJob) Work(
	_ context.Context, _ tasks.BuildManifest, _ job.Env, s job.Shard,
) iter.Seq2[job.Item, error] {
	return func(yield func(job.Item, error) bool) {
		f.mu.Lock()
		f.retried = append(f.retried, s.Keys...)
		f.mu.Unlock()
		for i := range f.objects {
			key := fmt.Sprintf("%03d", i)
			retry := s.Keys != nil
			if retry && !slices.Contains(s.Keys, key) || !retry && (key <= s.After || key > s.Through) {
				continue
			}
			item := job.Item{Key: key, Bytes: 10, Data: []byte(key + "\n"), Tally: "good"}
			if f.fails(key, retry) {
				item = job.Item{Key: key, Error: &tasks.ObjectError{
					Key: key, Code: "corrupt-image", Message: "no picture",
				}}
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Finish implements job.Sharded.
func (f *flakyJob) Finish(
	_ context.Context, _ tasks.BuildManifest, _ job.Env, parts job.Parts,
) (tasks.Result, error) {
	var data strings.Builder
	if err := job.WriteParts(&data, parts.Data); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.earlier = parts.Earlier
	return tasks.BuildManifestResult{Key: data.String(), Entries: parts.Tally["good"]}, nil
}

// A retry works on the objects of the error list alone. It gets the
// first result, and counts for itself.
func TestRetryOfFailedObjects(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, o redisconn.Options) {
		h := newHarness(t, o)
		f := &flakyJob{objects: 900, shardSize: 100, fails: func(key string, retry bool) bool {
			return key[2] == '3' && (!retry || key == "003" || key == "893") ||
				key > "500" && key < "800" && !retry
		}}
		conf := newConfig(t, o)
		startWorker(t, conf, testJobs{other: f})
		h.submit(manifest, "m")
		first := h.waitForEnd("m", 20*time.Second)
		failed := first.Progress.Failed
		if first.State != tasks.StateSucceeded || failed < 300 ||
			first.Progress.Codes["corrupt-image"] != failed {
			t.Fatalf("%+v, %+v", first, first.Failure)
		}

		retry, err := h.store.BeginRetry(t.Context(), "m", 1)
		h.must(err)
		if s := h.status("m"); s.State != tasks.StateQueued || s.Round != 1 || s.Progress.Objects != 0 {
			t.Errorf("after the retry has begun: %+v", s)
		}
		h.enqueueTask(manifest, asynqtask.JobRef{Job: "m", Generation: retry.Generation})
		s := h.waitForEnd("m", 20*time.Second)
		p := s.Progress
		if s.State != tasks.StateSucceeded || s.Round != 1 ||
			p.Objects != failed || p.ObjectsTotal != failed || p.Failed != 2 ||
			p.Codes["corrupt-image"] != 2 || p.Shards != (failed+199)/200 || p.Bytes != 10*(failed-2) {
			t.Errorf("%+v, %+v", s, s.Failure)
		}
		f.checkRetry(t, failed, first.Result)
		var left []string
		for e, err := range h.store.Errors(t.Context(), "m") {
			h.must(err)
			left = append(left, e.Key)
		}
		if !slices.Equal(left, []string{"003", "893"}) {
			t.Errorf("the error list is %v", left)
		}
		for round := range 2 {
			h.checkEndEvent("m", round, tasks.EventSucceeded)
		}
		queuetest.Eventually(t, 15*time.Second, "both ends are counted", func() bool {
			return metric(t, "jobs_finished_total", "outcome", "succeeded", conf.Registry) == 2
		})
	})
}

// checkRetry checks that a retry has worked on each failed object once,
// and on no other, and got the first result.
func (f *flakyJob) checkRetry(t *testing.T, failed int64, first []byte) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	slices.Sort(f.retried)
	distinct := slices.Compact(slices.Clone(f.retried))
	if int64(len(f.retried)) != failed || int64(len(distinct)) != failed ||
		f.retried[0] != "003" || slices.Contains(f.retried, "004") {
		t.Errorf("%d objects were retried: %v", len(f.retried), f.retried)
	}
	if string(f.earlier) != string(first) {
		t.Errorf("it was to amend %q, the first result was %q", f.earlier, first)
	}
}
