package pickup

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

const (
	// block is how long Redis holds a command back at most. A dead
	// connection is noticed within ten seconds more.
	block = 5 * time.Second
	// outagePause is the pause between tries while Redis does not
	// answer.
	outagePause = time.Second
	// refusalPause is the pause while Redis refuses the command.
	refusalPause = 30 * time.Second
	// A queue that is paused wakes its server in vain, again and again.
	// So do tasks that the pool does not want now, or that other
	// workers take faster. After some
	// wake-ups in vain the watch pauses, at first for minPause, and
	// then twice as long each time.
	freeWakeups = 3
	minPause    = 20 * time.Millisecond
	maxPause    = 160 * time.Millisecond
)

// Watch wakes the server when a queue has a task, until ctx ends. It
// panics if a goroutine of its own does.
func (c *Conn) Watch(ctx context.Context) {
	client := c.redis.Client()
	group, ctx := guard.WithContext(ctx)
	context.AfterFunc(ctx, func() { _ = client.Close() }) // ends the commands that wait
	var warned sync.Once
	for _, name := range c.gate.names {
		w := &watch{gate: c.gate, queue: name, client: client, log: c.log, warned: &warned}
		group.Go(func() error { w.run(ctx); return nil })
	}
	guard.Rethrow(group.Wait())
}

// watch watches one queue.
type watch struct {
	gate   *gate
	queue  string
	client redis.UniversalClient
	log    *slog.Logger
	warned *sync.Once // that Redis refuses the command, for any queue

	inVain int // wake-ups without a task, since the last with one
}

func (w *watch) run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-w.gate.isEmpty(w.queue):
		}
		w.untilTask(ctx)
	}
}

// untilTask waits until the queue has a task, and wakes the server.
func (w *watch) untilTask(ctx context.Context) {
	wait(ctx, w.pause())
	key := pendingKey(w.queue)
	for ctx.Err() == nil {
		w.gate.setWatched(w.queue, true)
		began := time.Now()
		err := w.client.BLMove(ctx, key, key, "RIGHT", "RIGHT", block).Err()
		switch {
		case err == nil:
			if time.Since(began) > maxPause {
				w.inVain = 0
			}
			w.gate.wake(w.queue)
			return
		case errors.Is(err, redis.Nil):
			w.inVain = 0
		case ctx.Err() == nil:
			w.gate.setWatched(w.queue, false)
			w.failed(ctx, err)
		}
	}
}

// pause returns how long to wait before the queue is watched again. It
// counts the wake-ups in vain.
func (w *watch) pause() time.Duration {
	if w.gate.foundTask(w.queue) {
		w.inVain = 0
		return 0
	}
	w.inVain++
	doublings := w.inVain - freeWakeups
	if doublings <= 0 {
		return 0
	}
	return min(minPause<<min(doublings-1, 10), maxPause)
}

// failed waits until the command may be tried again.
func (w *watch) failed(ctx context.Context, err error) {
	if errors.Is(redisconn.Wrap(err, "wait for tasks"), redisconn.ErrUnavailable) {
		w.log.Debug("queue not watched", "queue", w.queue, "error", err)
		wait(ctx, outagePause)
		return
	}
	w.warned.Do(func() {
		w.log.Warn("Redis does not let this worker wait for tasks. "+
			"It polls instead, which takes many more commands: allow BLMOVE", "error", err)
	})
	wait(ctx, refusalPause)
}

// wait waits for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
