package tracked_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
	"github.com/stevedore-jobs/stevedore/tasks/queue/tracked"
)

// clock is the tracked jobs of a test, and the time as they see it.
type clock struct {
	tracked.Jobs
	client redis.UniversalClient
	t      *testing.T
}

func newClock(t *testing.T) clock {
	t.Helper()
	c := queuetest.Embedded(t).Client()
	t.Cleanup(func() { _ = c.Close() })
	return clock{tracked.New(c), c, t}
}

// pass makes a time pass for all tracked jobs.
func (c clock) pass(d time.Duration) {
	c.t.Helper()
	jobs, err := c.client.ZRange(c.t.Context(), schema.ActiveKey, 0, -1).Result()
	for _, id := range jobs {
		if err == nil {
			err = c.client.ZIncrBy(c.t.Context(), schema.ActiveKey, -float64(d.Milliseconds()), id).Err()
		}
	}
	c.must(err)
}

func (c clock) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c clock) unattended() []string {
	c.t.Helper()
	ids, err := c.Unattended(c.t.Context(), 1000)
	c.must(err)
	return ids
}

// A thousand jobs that wait make few looks, and a job that runs is
// looked at in time.
func TestWaitingJobsMakeFewLooks(t *testing.T) {
	t.Parallel()
	c := newClock(t)
	for i := range 1000 {
		c.must(c.Track(t.Context(), fmt.Sprintf("waits%d", i), true))
	}
	c.must(c.Track(t.Context(), "runs", false))
	c.pass(5 * time.Second)
	seen := map[string]int{}
	const seconds = 40
	for range seconds / 2 {
		c.pass(2 * time.Second)
		for _, id := range c.unattended() {
			seen[id]++
			next := tracked.Look{After: 10 * time.Second, Waits: true}
			if id == "runs" {
				next = tracked.Look{After: 4 * time.Second}
			}
			c.must(c.Postpone(t.Context(), id, next))
		}
	}
	if n := seen["runs"]; n < seconds/6 {
		t.Errorf("%d looks at the job that runs in %d seconds", n, seconds)
	}
	delete(seen, "runs")
	looks := 0
	for _, n := range seen {
		looks += n
	}
	if most := 20 * seconds; looks == 0 || looks > most {
		t.Errorf("%d looks at jobs that wait in %d seconds, want at most %d", looks, seconds, most)
	}
}

// A look is not postponed if the job was claimed since it was listed,
// and never for a job that has ended.
func TestPostponeYieldsToTrack(t *testing.T) {
	t.Parallel()
	c := newClock(t)
	for _, id := range []string{"claimed", "ended", "waits"} {
		c.must(c.Track(t.Context(), id, true))
	}
	c.pass(10 * time.Second)
	if n := len(c.unattended()); n != 3 {
		t.Fatalf("%d jobs are unattended", n)
	}
	c.must(c.Track(t.Context(), "claimed", false))
	c.must(c.Untrack(t.Context(), "ended"))
	for _, id := range []string{"claimed", "ended", "waits"} {
		c.must(c.Postpone(t.Context(), id, tracked.Look{After: time.Hour}))
	}
	c.pass(6 * time.Second)
	if ids := c.unattended(); !slices.Equal(ids, []string{"claimed"}) {
		t.Errorf("unattended are %v", ids)
	}
}

// A job is listed again soon if its reaper died before it looked.
func TestUnattendedListsAgain(t *testing.T) {
	t.Parallel()
	c := newClock(t)
	c.must(c.Track(t.Context(), "j", false))
	for _, step := range []struct {
		pass time.Duration
		want int
	}{{0, 0}, {5 * time.Second, 1}, {0, 0}, {2 * time.Second, 1}} {
		c.pass(step.pass)
		if ids := c.unattended(); len(ids) != step.want {
			t.Errorf("%v later %v are unattended", step.pass, ids)
		}
	}
}
