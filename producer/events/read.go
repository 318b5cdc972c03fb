package events

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

const (
	// maxBlock is how long Redis holds a read back if there is no
	// event. A dead connection is noticed within ten seconds more.
	maxBlock = 5 * time.Second
	// retryPause is the pause between tries while a read fails.
	retryPause = time.Second
	// batch is how many events are read at once.
	batch = 100
	// beginning is the position before all events.
	beginning = "0-0"
)

// readAfter reads the events after a position. It waits for one at
// most for the time block; if that is negative, not at all. No event
// is no error.
func readAfter(
	ctx context.Context, c redis.UniversalClient, position string, block time.Duration,
) ([]redis.XMessage, error) {
	return messages(c.XRead(ctx, &redis.XReadArgs{
		Streams: []string{queue.EventsStream, position},
		Count:   batch,
		Block:   block,
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

// lastPosition returns the position of the newest event.
func lastPosition(ctx context.Context, c redis.UniversalClient) (string, error) {
	last, err := c.XRevRangeN(ctx, queue.EventsStream, "+", "-", 1).Result()
	if err != nil || len(last) == 0 {
		return beginning, err
	}
	return last[0].ID, nil
}

// checkLost returns ErrLost if the oldest event lies after a
// position.
func checkLost(ctx context.Context, c redis.UniversalClient, position string) error {
	oldest, err := c.XRangeN(ctx, queue.EventsStream, "-", "+", 1).Result()
	if err != nil || len(oldest) == 0 || !isBefore(position, oldest[0].ID) {
		return err
	}
	return fmt.Errorf("%w: the oldest event in the stream is %s, after %s",
		ErrLost, oldest[0].ID, position)
}

// isBefore compares two positions.
func isBefore(a, b string) bool {
	millisA, numberA := splitPosition(a)
	millisB, numberB := splitPosition(b)
	return millisA < millisB || millisA == millisB && numberA < numberB
}

// splitPosition reads "<milliseconds>-<number>". The number may be
// missing. Redis has accepted the position, so it has no faults.
func splitPosition(position string) (millis, number uint64) {
	t, n, _ := strings.Cut(position, "-")
	millis, _ = strconv.ParseUint(t, 10, 64)
	number, _ = strconv.ParseUint(n, 10, 64)
	return millis, number
}

// pause waits between two tries, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
