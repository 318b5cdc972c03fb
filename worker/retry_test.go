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

// flaky is a sharded job over the objects "000", "001", ..., some of which
// fail in the first round.
type flaky struct {
	objects, each int
	fails         func(key string, retry bool) bool

	mu      sync.Mutex
	retried []string // keys of the shards of retries
	earlier []byte   // what the last Finish was to amend
}

func (f *flaky) Plan(_ context.Context, _ tasks.BuildManifest, _ job.Env, after string, emit func(job.Shard) error) error {
	for i := 0; i < f.objects; i += f.each {
		s := job.Shard{After: after, Through: fmt.Sprintf("%03d", i+f.each-1), Objects: int64(f.each)}
		if after = s.Through; s.After >= s.Through {
			continue
		}
		if err := emit(s); err != nil {
			return err
		}
	}
	return nil
}

func (f *flaky) Work(_ context.Context, _ tasks.BuildManifest, _ job.Env, s job.Shard) iter.Seq2[job.Item, error] {
	return func(yield func(job.Item, error) bool) {
		if s.Keys != nil {
			f.mu.Lock()
			f.retried = append(f.retried, s.Keys...)
			f.mu.Unlock()
		}
		for i := range f.objects {
			key := fmt.Sprintf("%03d", i)
			if s.Keys != nil && !slices.Contains(s.Keys, key) || s.Keys == nil && (key <= s.After || key > s.Through) {
				continue
			}
			item := job.Item{Key: key, Bytes: 10, Data: []byte(key + "\n"), Tally: "good"}
			if f.fails(key, s.Keys != nil) {
				item = job.Item{Key: key, Error: &tasks.ObjectError{Key: key, Code: "corrupt-image", Message: "no picture"}}
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

func (f *flaky) Finish(_ context.Context, _ tasks.BuildManifest, _ job.Env, parts job.Parts) (tasks.Result, error) {
	var data strings.Builder
	if err := job.WriteParts(&data, parts.Data); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.earlier = parts.Earlier
	return tasks.BuildManifestResult{Key: data.String(), Entries: parts.Tally["good"]}, nil
}

// A retry works on the objects of the error list alone, is given the first
// result, and counts for itself.
func TestRetryOfWhatFailed(t *testing.T) {
	t.Parallel()
	onEvery(t, func(t *testing.T, o redisconn.Options) {
		l := newHarness(t, o)
		f := &flaky{objects: 900, each: 100, fails: func(key string, retry bool) bool {
			return key[2] == '3' && (!retry || key == "003" || key == "893") || key > "500" && key < "800" && !retry
		}}
		conf := config(t, o)
		start(t, conf, jobs{other: f})
		l.put(manifest, "m")
		first := l.ended("m", 20*time.Second)
		failed := first.Progress.Failed
		if first.State != tasks.StateSucceeded || failed < 300 || first.Progress.Codes["corrupt-image"] != failed {
			t.Fatalf("%+v, %+v", first, first.Failure)
		}
		retry, err := l.store.BeginRetry(t.Context(), "m", 1)
		l.must(err)
		if s := l.status("m"); s.State != tasks.StateQueued || s.Round != 1 || s.Progress.Objects != 0 {
			t.Errorf("reopened: %+v", s)
		}
		l.enqueue(manifest, asynqtask.JobRef{Job: "m", Generation: retry.Generation})
		s := l.ended("m", 20*time.Second)
		p := s.Progress
		if s.State != tasks.StateSucceeded || s.Round != 1 || p.Objects != failed || p.ObjectsTotal != failed || p.Failed != 2 ||
			p.Codes["corrupt-image"] != 2 || p.Shards != (failed+199)/200 || p.Bytes != 10*(failed-2) {
			t.Errorf("%+v, %+v", s, s.Failure)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		slices.Sort(f.retried)
		if int64(len(f.retried)) != failed || f.retried[0] != "003" || slices.Contains(f.retried, "004") || len(slices.Compact(f.retried)) != int(failed) {
			t.Errorf("%d objects were worked on again: %v", len(f.retried), f.retried)
		}
		if string(f.earlier) != string(first.Result) {
			t.Errorf("it was to amend %q, the first result was %q", f.earlier, first.Result)
		}
		var left []string
		for e, err := range l.store.Errors(t.Context(), "m") {
			l.must(err)
			left = append(left, e.Key)
		}
		if !slices.Equal(left, []string{"003", "893"}) {
			t.Errorf("the error list is %v", left)
		}
		for round := range 2 {
			l.final("m", round, tasks.EventSucceeded)
		}
		queuetest.Eventually(t, 15*time.Second, "both ends are counted", func() bool {
			return count(t, "jobs_finished_total", "outcome", "succeeded", conf.Registry) == 2
		})
	})
}
