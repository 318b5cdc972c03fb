package worker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

const (
	// beatEvery is how often this process says that it lives and how far its
	// shards are. Coordinators look as often or more, so what people see is
	// less than a second old.
	beatEvery = 400 * time.Millisecond
	// staleAfter is how long nothing may be heard of a run before its worker
	// is taken for dead. A live worker that is taken for dead costs some work
	// twice, and harms nothing.
	staleAfter = 20 * time.Second
	// grace is how long all have to be heard of again after Redis was away:
	// nobody could beat.
	grace = 5 * time.Second
)

// errUnwanted means that the job of a shard has ended, or that the shard was
// handed in by somebody else.
var errUnwanted = errors.New("the job has ended, or the shard was done elsewhere")

// pulses beats for all shards that run in this process. A job's shards share
// one request.
type pulses struct {
	records queue.Records
	log     *slog.Logger
	mu      sync.Mutex
	jobs    map[string]*pulse
}

// pulse is the shards of one job.
type pulse struct {
	// sending keeps a beat from overtaking a commit: it would show what was
	// just committed a second time.
	sending sync.RWMutex
	runs    map[int]*live // guarded by pulses.mu
}

// live is how far one run is since its last commit.
type live struct {
	objects, bytes, failed atomic.Int64
	stop                   context.CancelCauseFunc
}

func (l *live) add(bytes int64, failed bool) {
	l.objects.Add(1)
	l.bytes.Add(bytes)
	if failed {
		l.failed.Add(1)
	}
}

func (l *live) reset() {
	l.objects.Store(0)
	l.bytes.Store(0)
	l.failed.Store(0)
}

func newPulses(r queue.Records, log *slog.Logger) *pulses {
	return &pulses{records: r, log: log, jobs: map[string]*pulse{}}
}

// join beats for a run until leave is called. The context ends with
// errUnwanted when the job does not want the run any more.
func (p *pulses) join(ctx context.Context, ref queue.ShardRef) (inner context.Context, l *live, of *pulse, leave func()) {
	inner, stop := context.WithCancelCause(ctx)
	l = &live{stop: stop}
	p.mu.Lock()
	defer p.mu.Unlock()
	of = p.jobs[ref.Job]
	if of == nil {
		of = &pulse{runs: map[int]*live{}}
		p.jobs[ref.Job] = of
	}
	of.runs[ref.Shard] = l
	return inner, l, of, func() {
		stop(nil)
		p.mu.Lock()
		defer p.mu.Unlock()
		if of.runs[ref.Shard] == l {
			delete(of.runs, ref.Shard)
		}
		if len(of.runs) == 0 && p.jobs[ref.Job] == of {
			delete(p.jobs, ref.Job)
		}
	}
}

// run beats until ctx ends.
func (p *pulses) run(ctx context.Context) {
	ticks := time.NewTicker(beatEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			for _, job := range p.list() {
				p.beat(ctx, job)
			}
		}
	}
}

func (p *pulses) list() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	jobs := make([]string, 0, len(p.jobs))
	for job := range p.jobs {
		jobs = append(jobs, job)
	}
	return jobs
}

func (p *pulses) beat(ctx context.Context, job string) {
	p.mu.Lock()
	of := p.jobs[job]
	p.mu.Unlock()
	if of == nil {
		return
	}
	of.sending.Lock()
	defer of.sending.Unlock()
	counts, runs := p.counts(of)
	if len(counts) == 0 {
		return
	}
	wanted, err := p.records.Beat(ctx, job, counts)
	switch {
	case err != nil:
		p.log.Debug("no beat", "job", job, "error", err)
	case !wanted:
		for _, l := range runs {
			l.stop(errUnwanted)
		}
	}
}

func (p *pulses) counts(of *pulse) (map[int]tasks.Progress, []*live) {
	p.mu.Lock()
	defer p.mu.Unlock()
	counts, runs := make(map[int]tasks.Progress, len(of.runs)), make([]*live, 0, len(of.runs))
	for i, l := range of.runs {
		counts[i] = tasks.Progress{Objects: l.objects.Load(), Bytes: l.bytes.Load(), Failed: l.failed.Load()}
		runs = append(runs, l)
	}
	return counts, runs
}
