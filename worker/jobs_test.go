package worker_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// single is a single job whose code is a function of the test.
type single[J tasks.Job] struct {
	run func(context.Context, J, job.Env) (tasks.Result, error)
}

// Run implements job.Single.
func (s single[J]) Run(ctx context.Context, j J, env job.Env) (tasks.Result, error) {
	return s.run(ctx, j, env)
}

// testJobs are the jobs of a test's workers. A nil one fails the test
// that enqueues it.
type testJobs struct {
	verify   func(context.Context, tasks.VerifyConnection, job.Env) (tasks.Result, error)
	manifest *countingJob
	other    job.Sharded[tasks.BuildManifest] // replaces manifest, if it is set
}

func (j testJobs) registrations() []worker.Registration {
	m := j.other
	if m == nil {
		m = cmp.Or(j.manifest, new(countingJob))
	}
	return worker.WithStubs(
		worker.Single(single[tasks.VerifyConnection]{j.verify}),
		worker.Sharded(m),
	)
}

// countingJob is a sharded job that adds up the numbers of its shards.
// The result has the sum in Entries. The functions are hooks of the
// test; each may be nil.
type countingJob struct {
	shards int64

	plan   func(ctx context.Context, shard string) error             // before a shard is planned
	work   func(ctx context.Context, env job.Env, s job.Shard) error // before a shard is worked on
	item   func(ctx context.Context, key string) error               // before an item is yielded
	finish func(ctx context.Context) error                           // before the job is finished
	data   func(key string) []byte                                   // data of an item, beside its shard's line
	worked sync.Map                                                  // shard -> *atomic.Int64: how often it was worked on
}

// Plan implements job.Sharded. Shard i ends with the key i.
func (c *countingJob) Plan(
	ctx context.Context, _ tasks.BuildManifest, _ job.Env, after string, emit func(job.Shard) error,
) error {
	from := int64(0)
	if after != "" {
		n, err := strconv.ParseInt(after, 10, 64)
		if err != nil {
			return err
		}
		from = n + 1
	}
	for i := from; i < c.shards; i++ {
		if c.plan != nil {
			if err := c.plan(ctx, fmt.Sprint(i)); err != nil {
				return err
			}
		}
		if err := emit(job.Shard{After: after, Through: fmt.Sprint(i), Objects: 10}); err != nil {
			return err
		}
		after = fmt.Sprint(i)
	}
	return nil
}

// Work implements job.Sharded. It yields ten items a shard: "3/0" to
// "3/8" of 100 bytes each, and "3/9", which fails.
func (c *countingJob) Work(
	ctx context.Context, _ tasks.BuildManifest, env job.Env, s job.Shard,
) iter.Seq2[job.Item, error] {
	return func(yield func(job.Item, error) bool) {
		if c.work != nil {
			if err := c.work(ctx, env, s); err != nil {
				yield(job.Item{}, err)
				return
			}
		}
		n, _ := c.worked.LoadOrStore(s.Through, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
		first := 0
		if _, k, ok := strings.Cut(s.After, "/"); ok {
			first, _ = strconv.Atoi(k)
			first++
		}
		for k := first; k < 10; k++ {
			item, err := c.makeItem(ctx, env, s.Through, k)
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

func (c *countingJob) makeItem(
	ctx context.Context, env job.Env, shard string, k int,
) (job.Item, error) {
	i := job.Item{Key: fmt.Sprintf("%s/%d", shard, k), Bytes: 100}
	if env.BeforeObject != nil {
		if err := env.BeforeObject(ctx, i.Key); err != nil {
			return i, err
		}
	}
	if c.item != nil {
		if err := c.item(ctx, i.Key); err != nil {
			return i, err
		}
	}
	if k == 9 {
		i.Bytes, i.Data, i.Tally = 0, []byte(shard+"\n"), shard
		i.Error = &tasks.ObjectError{Key: shard + ".jpg", Code: "corrupt-image", Message: "no picture"}
	}
	if c.data != nil {
		i.Data = append(c.data(i.Key), i.Data...)
	}
	return i, nil
}

// Finish implements job.Sharded.
func (c *countingJob) Finish(
	ctx context.Context, _ tasks.BuildManifest, _ job.Env, parts job.Parts,
) (tasks.Result, error) {
	if c.finish != nil {
		if err := c.finish(ctx); err != nil {
			return nil, err
		}
	}
	var sum int64
	for shard, times := range parts.Tally {
		i, err := strconv.ParseInt(shard, 10, 64)
		if err != nil {
			return nil, err
		}
		sum += i * times
	}
	var order bytes.Buffer
	for data, err := range parts.Data {
		if err != nil {
			return nil, err
		}
		if c.data == nil { // random data is too much for a result
			order.Write(data)
		}
	}
	return tasks.BuildManifestResult{Key: order.String(), Entries: sum}, nil
}

// times returns how often a shard was worked on.
func (c *countingJob) times(shard int) int64 {
	n, ok := c.worked.Load(fmt.Sprint(shard))
	if !ok {
		return 0
	}
	return n.(*atomic.Int64).Load()
}

// checkResult checks the result of a countingJob: every shard must have
// been counted once.
func checkResult(t testing.TB, s tasks.Status, shards int64) {
	t.Helper()
	r, err := producer.Result(s)
	if err != nil {
		t.Fatalf("%v: %+v", err, s.Failure)
	}
	m := r.(tasks.BuildManifestResult)
	if want := shards * (shards - 1) / 2; m.Entries != want {
		t.Errorf("the sum of all shards is %d, want %d", m.Entries, want)
	}
	var order bytes.Buffer
	for i := range shards {
		fmt.Fprintln(&order, i)
	}
	if m.Key != order.String() {
		t.Errorf("the parts are in the order %q", m.Key)
	}
	p := s.Progress
	if p.Objects != shards*10 || p.ObjectsTotal != p.Objects || p.Failed != shards || p.Bytes != shards*900 {
		t.Errorf("progress %+v of %d shards", p, shards)
	}
}

// verifyRun is the code of a verification.
type verifyRun = func(context.Context, tasks.VerifyConnection, job.Env) (tasks.Result, error)

// failing returns a verification that fails with one error after the
// other, and then succeeds.
func failing(runs *atomic.Int32, errs ...error) verifyRun {
	return func(context.Context, tasks.VerifyConnection, job.Env) (tasks.Result, error) {
		if n := int(runs.Add(1)); n <= len(errs) {
			return nil, errs[n-1]
		}
		return tasks.VerifyConnectionResult{OK: true, Verdict: "fine"}, nil
	}
}
