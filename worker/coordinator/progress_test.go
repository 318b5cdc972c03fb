package coordinator

import (
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// near reports whether got is within a tenth of want.
func near(got, want float64) bool { return math.Abs(got-want) <= want/10 }

// The rate is that of the last ten seconds, and the rest takes as long
// as the report says.
func TestReporter_RateAndETA(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const total = 100_000
		r := &reporter{sharded: true}
		var objects int64
		work := func(seconds, rate int64) (report queue.ProgressReport) {
			for range seconds * 10 {
				<-time.After(100 * time.Millisecond)
				objects += rate / 10
				report = r.update(tasks.Progress{Objects: objects}, total)
			}
			return report
		}
		if got := r.update(tasks.Progress{}, total); got.Rate != 0 || got.ETASeconds != 0 {
			t.Errorf("at the start: %+v", got)
		}
		if got := work(20, 1000); !near(got.Rate, 1000) || !near(float64(got.ETASeconds), 80) {
			t.Errorf("at 1000 a second: %+v", got)
		}
		if got := work(5, 100); got.Rate < 300 || got.Rate > 800 {
			t.Errorf("while it slows down: %+v", got)
		}
		if got := work(15, 100); !near(got.Rate, 100) {
			t.Errorf("at 100 a second: %+v", got)
		}
		if got := work(15, 0); got.Rate != 0 || got.ETASeconds != 0 {
			t.Errorf("when nothing moves: %+v", got)
		}
	})
}

// Counts fall when a worker dies with work under way. That gives no
// negative rate. A coordinator that takes a job over reports no leap in
// the rate.
func TestReporter_RateAfterTakeover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &reporter{sharded: true}
		if got := r.update(tasks.Progress{Objects: 5000, Bytes: 70, Failed: 3}, 0); got.Rate != 0 {
			t.Errorf("at the start: %+v", got)
		}
		<-time.After(time.Second)
		got := r.update(tasks.Progress{Objects: 4900, Bytes: 60, Failed: 2}, 0)
		if got.Rate != 0 || got.Total != -1 {
			t.Errorf("after the counts fell: %+v", got)
		}
		// Two runs of one shard may count more objects than there are.
		got = r.update(tasks.Progress{Objects: 6100}, 6000)
		if got.Objects != 6000 || got.ETASeconds != 0 {
			t.Errorf("with too many objects: %+v", got)
		}
	})
}

// gauge records what it is asked to show.
type gauge struct{ shown []tasks.Progress }

func (g *gauge) Show(p tasks.Progress) { g.shown = append(g.shown, p) }

// The figures that metrics, events and asynq's result show are those of
// Status, and they never fall: what a worker had done when it died is
// not taken back.
func TestReporter_ShowsWhatStatusShows(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	client := o.Client()
	t.Cleanup(func() { _ = client.Close() })
	store := queue.NewStore(client)
	lease, err := store.Claim(t.Context(), queue.ClaimRequest{
		Ref:     asynqtask.JobRef{Job: "j"},
		Kind:    "build-manifest",
		Payload: []byte("{}"),
		First:   tasks.StateRunning,
	})
	if err != nil {
		t.Fatal(err)
	}
	var g gauge
	var result []byte
	r := newReporter(&run{
		config: &Config{Store: store, Log: slog.New(slog.DiscardHandler)},
		job: Job{
			Lease:       lease,
			Gauge:       &g,
			WriteResult: func(data []byte) { result = data },
		},
	})
	show := func(ctx context.Context, counts tasks.Progress) {
		snapshot, err := lease.Heartbeat(ctx, r.update(counts, counts.ObjectsTotal))
		if err != nil {
			t.Fatal(err)
		}
		r.lastEvent = time.Time{} // as if a second had passed
		r.show(ctx, snapshot)
	}
	show(t.Context(), tasks.Progress{Objects: 500, ObjectsTotal: 1000, Bytes: 70, Failed: 3})
	show(t.Context(), tasks.Progress{Objects: 490, ObjectsTotal: 1000, Bytes: 60, Failed: 2})

	status, err := store.Status(t.Context(), "j")
	if err != nil {
		t.Fatal(err)
	}
	var written tasks.Progress
	if err := json.Unmarshal(result, &written); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]tasks.Progress{
		"status": status.Progress, "gauge": g.shown[len(g.shown)-1], "asynq's result": written,
	} {
		if p.Objects != 500 || p.ObjectsTotal != 1000 || p.Bytes != 70 || p.Failed != 3 {
			t.Errorf("%s shows %+v", name, p)
		}
	}
}

// The time in which objects are listed, and none is worked on, is no
// part of the rate.
func TestRateBeginsWithTheFirstShard(t *testing.T) {
	t.Parallel()
	planned := queue.Snapshot{Shards: map[int]queue.ShardState{0: {}}}
	if begun(planned) {
		t.Error("a job whose shards wait has begun")
	}
	planned.Shards[1] = queue.ShardState{LastHeartbeat: time.Now()}
	if !begun(planned) || !begun(queue.Snapshot{Committed: tasks.Progress{Shards: 1}}) {
		t.Error("a job with a shard under way, or done, has not begun")
	}
}
