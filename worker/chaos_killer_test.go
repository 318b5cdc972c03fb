package worker_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// mostDeaths is what one object may cost: two deaths until it is dealt with
// alone, and two while it is; and as many again on a machine so busy that a
// living process is taken for dead, and the object given to a second one.
const mostDeaths = 8

// An object kills each process that reads it, with all that the process has
// under way. In the end it alone is left out.
func TestKillerObject(t *testing.T) {
	t.Parallel()
	r := queuetest.Start(t)
	j := buildTo(t)
	bucket := simulation{Objects: 12_000, Read: 10 * time.Millisecond}
	bucket.Killer = bucket.key(5500)
	f := newFleet(t, setup{Redis: r.Options().Addr, Dir: j.Destination.Bucket, Bucket: bucket, Slots: 4, Parallel: 8}, 2)
	c := client(t, r.Options())
	began := time.Now()
	if _, err := c.Enqueue(t.Context(), j, producer.WithID("killer")); err != nil {
		t.Fatal(err)
	}
	var s tasks.Status
	deaths := 0
	queuetest.Eventually(t, 8*time.Minute, "the job ends", func() bool {
		deaths += f.revive()
		now, err := c.Status(t.Context(), "killer")
		if err == nil {
			s = now
		}
		return s.State.Final()
	})
	t.Logf("%d processes died in %v", deaths, time.Since(began).Round(time.Second))
	if deaths < 2 || deaths > mostDeaths {
		t.Errorf("%d processes died, want %d at most", deaths, mostDeaths)
	}
	want := undisturbed(t, bucket, j)
	kills := want.convict(t, bucket, 5500)
	if got, err := producer.Result(s); err != nil || cmp.Diff(want.result, got, cmpopts.IgnoreFields(want.result, "Unchanged")) != "" {
		t.Errorf("result %+v, %v, want %+v; %+v", got, err, want.result, s.Failure)
	}
	if s.Progress.Codes["kills-worker"] != 1 || s.Progress.Failed != int64(len(want.faults)) || s.Progress.Objects != 12_000 {
		t.Errorf("progress %+v", s.Progress)
	}
	if diff := cmp.Diff(string(want.manifest), string(writtenBy(t, j))); diff != "" {
		t.Errorf("the manifest differs:\n%s", diff)
	}
	faults := errorsOf(t, c, "killer")
	for i := range faults {
		if faults[i].Key == kills.Key {
			faults[i].Message = kills.Message
		}
	}
	if diff := cmp.Diff(want.faults, faults); diff != "" {
		t.Errorf("the error list differs:\n%s", diff)
	}
	onlyEnd(t, r.Options(), "killer")
}

// Shards at which workers have died, or that have a suspect already, are
// dealt with one object at a time in the whole process: were two at hand when
// it dies, both would be taken for guilty.
func TestCarefulRunsTakeTurns(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	redis := o.Client()
	defer func() { _ = redis.Close() }()
	for field, value := range map[string]string{"0:c": "2", "1:c": "1", "1:a": "1/0", "1:k": "1"} {
		if err := redis.HSet(t.Context(), "stevedore:{m}:runs", field, value).Err(); err != nil {
			t.Fatal(err)
		}
	}
	var now, most atomic.Int64
	start(t, config(t, o), jobs{manifest: &counting{shards: 2, item: func(ctx context.Context, _ string) error {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		return elapse(ctx, 20*time.Millisecond)
	}}})
	c := client(t, o)
	enqueue(t, c, manifest, "m")
	result(t, wait(t, c, "m", 20*time.Second), 2)
	if most.Load() != 1 {
		t.Errorf("%d objects were dealt with at once", most.Load())
	}
}

// convict makes of an outcome without killers one in which an object is left
// out that kills.
func (o *outcome) convict(t *testing.T, b simulation, i int) (kills tasks.ObjectError) {
	t.Helper()
	kills = tasks.ObjectError{Key: b.key(i), Code: "kills-worker"}
	at, _ := slices.BinarySearchFunc(o.faults, kills.Key, func(e tasks.ObjectError, key string) int {
		return map[bool]int{true: -1, false: 1}[e.Key < key]
	})
	o.faults = slices.Insert(o.faults, at, kills)
	line := lineOf(t, o.manifest, b.key(i))
	o.manifest = slices.Delete(o.manifest, line[0], line[1])
	o.result.Entries--
	o.result.Failed++
	o.result.Size -= int64(line[1] - line[0])
	o.result.BytesRead -= int64(len(contentOf(i)))
	return kills
}
