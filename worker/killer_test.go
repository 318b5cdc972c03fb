package worker_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// maxDeaths is how many processes one object may kill: two until its
// shard is run carefully, and two more while it is. On a busy machine
// it may be twice as many, because a living process may count as dead,
// and the object is then given to a second one.
const maxDeaths = 8

// An object kills each process that reads it, with all work that the
// process has under way. In the end this object alone is left out.
func TestKillerObject(t *testing.T) {
	t.Parallel()
	r := queuetest.Start(t)
	j := buildTo(t)
	bucket := simulation{Objects: 12_000, Read: 10 * time.Millisecond}
	bucket.Killer = bucket.key(5500)
	f := startFleet(t, setup{
		Redis:    redisURL(r.Options()),
		Dir:      j.Destination.Bucket,
		Bucket:   bucket,
		Slots:    4,
		Parallel: 8,
	}, 2)
	c := newClient(t, r.Options())
	began := time.Now()
	if _, err := c.Enqueue(t.Context(), j, producer.WithID("killer")); err != nil {
		t.Fatal(err)
	}
	var s tasks.Status
	deaths := 0
	queuetest.Eventually(t, 8*time.Minute, "the job ends", func() bool {
		deaths += f.restartDead()
		now, err := c.Status(t.Context(), "killer")
		if err == nil {
			s = now
		}
		return s.State.Final()
	})
	t.Logf("%d processes died in %v", deaths, time.Since(began).Round(time.Second))
	if deaths < 2 || deaths > maxDeaths {
		t.Errorf("%d processes died, want 2 to %d", deaths, maxDeaths)
	}

	want := expectedOutput(t, bucket, j)
	killer := want.leaveOut(t, bucket, 5500)
	got, err := producer.Result(s)
	if err != nil || cmp.Diff(want.result, got, cmpopts.IgnoreFields(want.result, "Unchanged", "Report")) != "" {
		t.Errorf("result %+v, %v, want %+v; %+v", got, err, want.result, s.Failure)
	}
	if p := s.Progress; p.Codes["kills-worker"] != 1 ||
		p.Failed != int64(len(want.errors)) || p.Objects != 12_000 {
		t.Errorf("progress %+v", p)
	}
	if diff := cmp.Diff(string(want.manifest), string(manifestOf(t, j))); diff != "" {
		t.Errorf("the manifest differs:\n%s", diff)
	}
	errs := errorList(t, c, "killer")
	for i := range errs {
		if errs[i].Key == killer.Key {
			errs[i].Message = killer.Message
		}
	}
	if diff := cmp.Diff(want.errors, errs); diff != "" {
		t.Errorf("the error list differs:\n%s", diff)
	}
	checkOneEnd(t, r.Options(), "killer")
}

// leaveOut changes an output so that an object is left out as one that
// kills workers. It returns the object's line of the error list.
func (o *output) leaveOut(t *testing.T, b simulation, i int) tasks.ObjectError {
	t.Helper()
	killer := tasks.ObjectError{Key: b.key(i), Code: "kills-worker"}
	compare := func(e tasks.ObjectError, key string) int {
		if e.Key < key {
			return -1
		}
		return 1
	}
	at, _ := slices.BinarySearchFunc(o.errors, killer.Key, compare)
	o.errors = slices.Insert(o.errors, at, killer)
	line := lineOf(t, o.manifest, b.key(i))
	o.manifest = slices.Delete(o.manifest, line[0], line[1])
	o.result.Entries--
	o.result.Changes.Added--
	o.result.Failed++
	o.result.SkippedBy["kills-worker"]++
	o.result.Size -= int64(line[1] - line[0])
	o.result.BytesRead -= int64(len(contentOf(i)))
	return killer
}
