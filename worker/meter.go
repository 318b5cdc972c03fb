package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// meter is how far a job under way is, as the world is shown it: counts that
// never fall, a rate, and the time that is left. One goroutine moves it;
// metrics read it.
type meter struct {
	w     *Worker
	c     claimed
	mu    sync.Mutex
	view  queue.Shown
	total int64    // 0 while unknown
	of    [2]int64 // shards committed, and planned
	moved time.Time
	marks []mark // of the last seconds, oldest first
	told  time.Time
	text  string // what was last told
	n     int    // events so far
}

type mark struct {
	at      time.Time
	objects int64
}

const (
	rateOver  = 10 * time.Second
	tellEvery = time.Second
)

func (w *Worker) meter(c claimed) *meter {
	m := &meter{w: w, c: c, moved: time.Now(), told: time.Now()} // a second may pass before there is something to tell
	m.view.Total = -1
	w.meters.Store(c.ID, m)
	return m
}

// end takes the job out of this process's metrics.
func (m *meter) end() { m.w.meters.CompareAndDelete(m.c.ID, m) }

// shown takes down how far the job is and returns what to show. total is -1
// when planning counts the objects; planned says that the total is known.
func (m *meter) shown(p tasks.Progress, total int64, planned bool) queue.Shown {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if p.Objects > m.view.Objects {
		m.moved = now
	}
	objects := max(m.view.Objects, p.Objects)
	if planned {
		objects = min(objects, p.ObjectsTotal)
	}
	m.view = queue.Shown{
		Objects: max(objects, m.view.Objects), Bytes: max(m.view.Bytes, p.Bytes), Failed: max(m.view.Failed, p.Failed),
		Total: total, Rate: m.rate(now, objects),
	}
	m.total, m.of = 0, [2]int64{p.Shards, p.ShardsTotal}
	if planned {
		m.total = p.ObjectsTotal
	}
	if left := m.total - m.view.Objects; left > 0 && m.view.Rate > 0 {
		m.view.ETASeconds = int64(float64(left)/m.view.Rate) + 1
	}
	return m.view
}

// rate is objects a second over the last seconds.
func (m *meter) rate(now time.Time, objects int64) float64 {
	for len(m.marks) > 1 && now.Sub(m.marks[1].at) > rateOver {
		m.marks = m.marks[1:]
	}
	if n := len(m.marks); n == 0 || now.Sub(m.marks[n-1].at) >= beatEvery {
		m.marks = append(m.marks, mark{now, objects})
	}
	first := m.marks[0]
	took := now.Sub(first.at).Seconds()
	if took < beatEvery.Seconds() {
		return 0
	}
	return float64(objects-first.objects) / took
}

// last is what was shown last.
func (m *meter) last() queue.Shown {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.view
}

// started tells that the job has begun. A coordinator that takes a job over
// tells it again, with the same ID.
func (m *meter) started(ctx context.Context) {
	state := tasks.StateRunning
	if m.c.sharded != nil {
		state = tasks.StatePlanning
	}
	m.emit(ctx, tasks.Event{ID: m.eventID("started"), Type: tasks.EventStarted, State: state, Time: time.Now()})
}

// tell brings asynq's result up to date and sends an event, at most once a
// second and when there is something new.
func (m *meter) tell(ctx context.Context, s tasks.State) {
	now := time.Now()
	if now.Sub(m.told) < tellEvery {
		return
	}
	p := m.progress()
	text, err := json.Marshal(p)
	if err != nil || string(text) == m.text {
		return
	}
	m.told, m.text = now, string(text)
	m.n++
	m.c.write(text)
	m.emit(ctx, tasks.Event{
		ID: m.eventID(fmt.Sprintf("progress-%d-%d", m.c.Epoch(), m.n)), Type: tasks.EventProgress, State: s, Progress: p, Time: now,
	})
}

func (m *meter) eventID(what string) string { return queue.EventID(m.c.ID, m.c.Round, what) }

// emit sends an event. The last one of a job must not be lost and goes
// another way; of these the next one makes up for it.
func (m *meter) emit(ctx context.Context, e tasks.Event) {
	e.Job, e.Kind, e.Time = m.c.ID, m.c.Name, e.Time.UTC().Truncate(time.Millisecond)
	if err := m.w.beats.Emit(ctx, e); err != nil {
		m.w.log.Debug("event not sent", "job", m.c.ID, "event", e.ID, "error", err)
	}
}

func (m *meter) progress() tasks.Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	return tasks.Progress{
		Objects: m.view.Objects, ObjectsTotal: m.total, Bytes: m.view.Bytes, Failed: m.view.Failed,
		Shards: m.of[0], ShardsTotal: m.of[1], Rate: m.view.Rate, ETASeconds: m.view.ETASeconds,
	}
}
