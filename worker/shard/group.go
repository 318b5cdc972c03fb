package shard

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// group is what the runs of one job in this process share. It exists
// while one of them runs, and a moment longer.
type group struct {
	// sending keeps a heartbeat from being sent after a commit with
	// counts from before it: what was committed would be shown twice.
	sending sync.RWMutex

	// Both are guarded by heartbeats.mu.
	runs map[int]*member // by shard
	idle bool            // there was no run at the last heartbeat

	mu      sync.Mutex
	text    []byte
	payload tasks.Job
}

// pauseHeartbeats waits for a heartbeat under way, and holds the next
// one back until resume is called.
func (g *group) pauseHeartbeats() (resume func()) {
	g.sending.RLock()
	return g.sending.RUnlock
}

// decode returns the decoded payload of the job. It decodes only the
// first time; errors are not remembered.
func (g *group) decode(
	text []byte, decode func([]byte) (tasks.Job, error),
) (tasks.Job, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.payload != nil && bytes.Equal(g.text, text) {
		return g.payload, nil
	}
	payload, err := decode(text)
	if err != nil {
		return nil, err
	}
	g.text, g.payload = text, payload
	return payload, nil
}

// runProgress is what one run has done since its last commit.
type runProgress struct {
	objects, bytes, failed, warnings atomic.Int64
}

func (p *runProgress) add(i job.Item) {
	p.objects.Add(1)
	p.bytes.Add(i.Bytes)
	if i.Error == nil {
		return
	}
	p.failed.Add(1)
	if i.Error.Warning {
		p.warnings.Add(1)
	}
}

func (p *runProgress) reset() {
	p.objects.Store(0)
	p.bytes.Store(0)
	p.failed.Store(0)
	p.warnings.Store(0)
}

func (p *runProgress) counts() tasks.Progress {
	return tasks.Progress{
		Objects:  p.objects.Load(),
		Bytes:    p.bytes.Load(),
		Failed:   p.failed.Load(),
		Warnings: p.warnings.Load(),
	}
}
