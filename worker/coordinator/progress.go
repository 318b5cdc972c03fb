package coordinator

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// progressEvery is how often at most an event tells the progress.
const progressEvery = time.Second

// reporter owns the progress of one job. Each heartbeat sends its
// report; Redis makes sure that the counts never fall, and answers with
// the figures to show. Metrics, events and asynq's result show these
// figures, which are those of Status.
//
// A reporter is not safe for concurrent use.
type reporter struct {
	lease       queue.Lease
	store       queue.Store
	sharded     bool
	gauge       Gauge
	writeResult func([]byte)
	log         *slog.Logger

	rate   rateMeter
	report queue.ProgressReport // what the next heartbeat sends

	lastEvent time.Time
	lastText  string // progress in the last event, JSON
	events    int
}

func newReporter(r *run) *reporter {
	return &reporter{
		lease:       r.job.Lease,
		store:       r.config.Store,
		sharded:     r.job.Kind.Sharded != nil,
		gauge:       r.job.Gauge,
		writeResult: r.job.WriteResult,
		log:         r.config.Log,
		report:      queue.ProgressReport{Total: -1},
		lastEvent:   time.Now(), // so that the first event has something to tell
	}
}

// update makes the next report from the latest counts. total is the
// number of all objects, 0 while it is unknown.
func (r *reporter) update(counts tasks.Progress, total int64) queue.ProgressReport {
	objects := counts.Objects
	if total > 0 { // two runs of one shard may have counted the same objects
		objects = min(objects, total)
	}
	r.report = queue.ProgressReport{
		Objects:  objects,
		Bytes:    counts.Bytes,
		Failed:   counts.Failed,
		Warnings: counts.Warnings,
		Total:    total,
		Rate:     r.rate.update(time.Now(), objects),
	}
	if r.sharded { // the shards are counted as they are planned
		r.report.Total = -1
	}
	if left := total - objects; left > 0 && r.report.Rate > 0 {
		r.report.ETASeconds = int64(float64(left)/r.report.Rate) + 1
	}
	return r.report
}

// started sends the event that the job has started. A coordinator that
// takes a job over sends it again, with the same ID.
func (r *reporter) started(ctx context.Context) {
	state := tasks.StateRunning
	if r.sharded {
		state = tasks.StatePlanning
	}
	r.emit(ctx, tasks.Event{
		ID:    r.eventID("started"),
		Type:  tasks.EventStarted,
		State: state,
		Time:  time.Now(),
	})
}

// show shows the figures of a snapshot in the metrics. If there is
// something new it also shows them in an event and in asynq's result,
// at most once a second.
func (r *reporter) show(ctx context.Context, s queue.Snapshot) {
	p := s.Shown
	if s.State == tasks.StatePlanning { // more objects may come
		p.ObjectsTotal = 0
	}
	r.gauge.Show(p)

	now := time.Now()
	if now.Sub(r.lastEvent) < progressEvery {
		return
	}
	text, err := json.Marshal(p)
	if err != nil || string(text) == r.lastText {
		return
	}
	r.lastEvent, r.lastText = now, string(text)
	r.events++
	r.writeResult(text)
	r.emit(ctx, tasks.Event{
		ID:       r.eventID(fmt.Sprintf("progress-%d-%d", r.lease.Epoch(), r.events)),
		Type:     tasks.EventProgress,
		State:    s.State,
		Progress: p,
		Time:     now,
	})
}

func (r *reporter) eventID(what string) string {
	return queue.EventID(r.lease.ID, r.lease.Round, what)
}

// emit sends an event that may be lost: the next one replaces it. The
// last event of a job is sent when the job ends, in a way that cannot
// lose it.
func (r *reporter) emit(ctx context.Context, e tasks.Event) {
	e.Job, e.Kind = r.lease.ID, r.lease.Kind
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	if err := r.store.Emit(ctx, e); err != nil {
		r.log.Debug("event not sent", "job", r.lease.ID, "event", e.ID, "error", err)
	}
}
