package producer

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

const (
	// blockFor is how long Redis holds a read of the stream back when there
	// is nothing to read. Within ten seconds more a dead connection is
	// noticed.
	blockFor = 5 * time.Second
	// tryEvery is the pause between tries to read the stream while that
	// fails.
	tryEvery = time.Second
)

// lines are the connections on which the stream is read. Redis holds such a
// read back until there is something to read, so each reader has a connection
// of its own, and ends the read by closing it.
type lines struct {
	options redisconn.Options
	mu      sync.Mutex
	open    map[redis.UniversalClient]bool
	closed  bool
}

// line is a connection that lives until hangUp is called or ctx ends.
func (l *lines) line(ctx context.Context) (line redis.UniversalClient, hangUp func()) {
	line = l.options.Client()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = line.Close()
		return line, func() {}
	}
	if l.open == nil {
		l.open = map[redis.UniversalClient]bool{}
	}
	l.open[line] = true
	stop := context.AfterFunc(ctx, func() { _ = line.Close() })
	return line, func() {
		stop()
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.open, line)
		_ = line.Close() // perhaps for the second time, which is an error that means nothing
	}
}

func (l *lines) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	var failed []error
	for line := range l.open {
		if err := line.Close(); !errors.Is(err, redis.ErrClosed) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// passing reports whether the call that got this error may succeed later.
func passing(err error) bool {
	return errors.Is(redisconn.Wrap(err, "redis"), redisconn.ErrUnavailable) && !errors.Is(err, redis.ErrClosed)
}

// pause waits between two tries.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// read reads events after a position, waiting for one at most so long;
// negative means not at all. None is no error.
func read(ctx context.Context, line redis.UniversalClient, after string, block time.Duration) ([]redis.XMessage, error) {
	return messages(line.XRead(ctx, &redis.XReadArgs{
		Streams: []string{queue.EventsStream, after}, Count: batch, Block: block,
	}).Result())
}

func messages(streams []redis.XStream, err error) ([]redis.XMessage, error) {
	switch {
	case errors.Is(err, redis.Nil):
		return nil, nil
	case err != nil || len(streams) == 0:
		return nil, err
	}
	return streams[0].Messages, nil
}

// newest is the position of the last event there is.
func newest(ctx context.Context, line redis.UniversalClient) (string, error) {
	last, err := line.XRevRangeN(ctx, queue.EventsStream, "+", "-", 1).Result()
	if err != nil || len(last) == 0 {
		return beginning, err
	}
	return last[0].ID, nil
}
