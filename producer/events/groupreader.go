package events

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// groupBatch is how many events a consumer takes at once. It is
// small: if the consumer dies, others get its events only later.
const groupBatch = 10

// groupReader is how far an iteration of a consumer has read.
type groupReader struct {
	group Group
	idle  time.Duration
	made  bool // the group exists
	// pendingAt is the last of the consumer's earlier events that was
	// yielded. It is empty when there are no more.
	pendingAt string
	// reclaimAt is where the search for events that other consumers
	// have left goes on. It is empty between two searches.
	reclaimAt string
	reclaimed time.Time // end of the last search
	// unsure means that events may have left the stream that the
	// group has not had.
	unsure bool
}

// next returns pending events, then reclaimed ones, then new ones.
func (r *groupReader) next(
	ctx context.Context, c redis.UniversalClient, block time.Duration,
) (found []redis.XMessage, err error) {
	defer func() {
		if err != nil && !errors.Is(err, ErrLost) {
			r.unsure = true
		}
		if err != nil && strings.HasPrefix(err.Error(), "NOGROUP") { // Redis was emptied
			r.made, err = false, nil
		}
	}()
	if !r.made {
		if err := r.group.create(ctx, c, beginning); err != nil {
			return nil, err
		}
		r.made = true
	}
	for r.pendingAt != "" {
		if found, err := r.pending(ctx, c); err != nil || len(found) > 0 {
			return found, err
		}
	}
	for r.reclaimAt != "" || time.Since(r.reclaimed) > r.idle/2 {
		if found, err := r.reclaim(ctx, c); err != nil || len(found) > 0 {
			return found, err
		}
	}
	return r.readNew(ctx, c, block)
}

// pending reads what this consumer got earlier and has not
// acknowledged.
func (r *groupReader) pending(
	ctx context.Context, c redis.UniversalClient,
) ([]redis.XMessage, error) {
	found, err := r.read(ctx, c, r.pendingAt, -1)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		r.pendingAt = ""
		return nil, nil
	}
	if err := r.ackDropped(ctx, c, found); err != nil {
		return nil, err
	}
	r.pendingAt = found[len(found)-1].ID
	return found, nil
}

// readNew reads events that no consumer has had. It returns ErrLost
// before it takes any: a caller who breaks then loses nothing.
func (r *groupReader) readNew(
	ctx context.Context, c redis.UniversalClient, block time.Duration,
) ([]redis.XMessage, error) {
	if r.unsure {
		err := r.checkLost(ctx, c)
		if err != nil && !errors.Is(err, ErrLost) {
			return nil, err
		}
		r.unsure = false
		if err != nil {
			return nil, err
		}
	}

	found, err := r.read(ctx, c, ">", block)
	// After a full batch more may be ahead, perhaps more than the
	// stream keeps.
	r.unsure = len(found) == groupBatch
	return found, err
}

// checkLost returns ErrLost if the oldest event lies after the last
// one that the group has had.
func (r *groupReader) checkLost(ctx context.Context, c redis.UniversalClient) error {
	groups, err := c.XInfoGroups(ctx, queue.EventsStream).Result()
	if err != nil {
		return err
	}
	for _, g := range groups {
		if g.Name == r.group.name && g.LastDeliveredID != beginning {
			return checkLost(ctx, c, g.LastDeliveredID)
		}
	}
	return nil
}

func (r *groupReader) read(
	ctx context.Context, c redis.UniversalClient, after string, block time.Duration,
) ([]redis.XMessage, error) {
	return messages(c.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group:    r.group.name,
		Consumer: r.group.consumer,
		Streams:  []string{queue.EventsStream, after},
		Count:    groupBatch,
		Block:    block,
	}).Result())
}

// ackDropped acknowledges events that have left the stream: no
// consumer can handle them.
func (r *groupReader) ackDropped(
	ctx context.Context, c redis.UniversalClient, found []redis.XMessage,
) error {
	for _, m := range found {
		if len(m.Values) > 0 {
			continue
		}
		if err := c.XAck(ctx, queue.EventsStream, r.group.name, m.ID).Err(); err != nil {
			return err
		}
	}
	return nil
}

// reclaim takes over events that other consumers have had for too
// long.
func (r *groupReader) reclaim(
	ctx context.Context, c redis.UniversalClient,
) ([]redis.XMessage, error) {
	if r.reclaimAt == "" {
		r.reclaimAt = beginning
	}
	positions, next, err := r.claimIdle(ctx, c)
	if err != nil {
		return nil, err
	}

	found := make([]redis.XMessage, len(positions))
	for i, position := range positions {
		one, err := c.XRangeN(ctx, queue.EventsStream, position, position, 1).Result()
		if err != nil {
			return nil, err
		}
		if found[i].ID = position; len(one) > 0 {
			found[i] = one[0]
		}
	}
	if err := r.ackDropped(ctx, c, found); err != nil {
		return nil, err
	}
	if r.reclaimAt = next; next == beginning || next == "" {
		r.reclaimAt, r.reclaimed = "", time.Now()
	}
	return found, nil
}

// claimIdle claims idle events and returns their positions alone,
// those of dropped events too. Redis 6.2 lists dropped events among
// the others, later versions apart. go-redis's own method would fail
// for the one and ignore the other.
func (r *groupReader) claimIdle(
	ctx context.Context, c redis.UniversalClient,
) (positions []string, next string, err error) {
	answer, err := c.Do(ctx, "xautoclaim", queue.EventsStream, r.group.name, r.group.consumer,
		r.idle.Milliseconds(), r.reclaimAt, "count", groupBatch, "justid").Slice()
	if err != nil {
		return nil, "", err
	}
	if len(answer) < 2 {
		return nil, "", fmt.Errorf("redis answers XAUTOCLAIM with %v", answer)
	}
	next, _ = answer[0].(string)
	for _, list := range answer[1:] {
		some, _ := list.([]any)
		for _, p := range some {
			if position, ok := p.(string); ok {
				positions = append(positions, position)
			}
		}
	}
	return positions, next, nil
}
