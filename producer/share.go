package producer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// share is how far an iteration over a consumer's share is.
type share struct {
	group   Group
	idle    time.Duration
	made    bool
	own     string    // the last of this consumer's earlier events that was yielded; empty when there are no more
	claim   string    // where looking for events that others left goes on; empty between two rounds
	claimed time.Time // when the last round of that ended
	unsure  bool      // whether events were dropped that the group has not had
}

func (s *share) next(ctx context.Context, line redis.UniversalClient, block time.Duration) (events []redis.XMessage, err error) {
	defer func() {
		if err != nil && !errors.Is(err, ErrEventsLost) {
			s.unsure = true
		}
		if err != nil && strings.HasPrefix(err.Error(), "NOGROUP") { // Redis was emptied
			s.made, err = false, nil
		}
	}()
	if !s.made {
		if err := s.group.create(ctx, line, beginning); err != nil {
			return nil, err
		}
		s.made = true
	}
	for s.own != "" {
		if events, err := s.mine(ctx, line); err != nil || len(events) > 0 {
			return events, err
		}
	}
	for s.claim != "" || time.Since(s.claimed) > s.idle/2 {
		if events, err := s.left(ctx, line); err != nil || len(events) > 0 {
			return events, err
		}
	}
	return s.fresh(ctx, line, block)
}

// mine reads what this consumer got earlier and has not acknowledged.
func (s *share) mine(ctx context.Context, line redis.UniversalClient) ([]redis.XMessage, error) {
	events, err := s.read(ctx, line, s.own, -1)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		s.own = ""
		return nil, nil
	}
	if err := s.forget(ctx, line, events); err != nil {
		return nil, err
	}
	s.own = events[len(events)-1].ID
	return events, nil
}

// left takes over what other consumers have had for too long.
func (s *share) left(ctx context.Context, line redis.UniversalClient) ([]redis.XMessage, error) {
	if s.claim == "" {
		s.claim = beginning
	}
	positions, next, err := s.takeOver(ctx, line)
	if err != nil {
		return nil, err
	}
	events := make([]redis.XMessage, len(positions))
	for i, p := range positions {
		found, err := line.XRangeN(ctx, queue.EventsStream, p, p, 1).Result()
		if err != nil {
			return nil, err
		}
		if events[i].ID = p; len(found) > 0 {
			events[i] = found[0]
		}
	}
	if err := s.forget(ctx, line, events); err != nil {
		return nil, err
	}
	if s.claim = next; next == beginning || next == "" {
		s.claim, s.claimed = "", time.Now()
	}
	return events, nil
}

// takeOver claims idle events by their positions alone. Those of dropped
// events are among them: Redis 6.2 mixes them with the others, later versions
// list them apart, and go-redis would read the one not at all and throw the
// other away.
func (s *share) takeOver(ctx context.Context, line redis.UniversalClient) (positions []string, next string, err error) {
	answer, err := line.Do(ctx, "xautoclaim", queue.EventsStream, s.group.name, s.group.consumer,
		s.idle.Milliseconds(), s.claim, "count", groupBatch, "justid").Slice()
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

// forget acknowledges events of which only the position is left, since nobody
// can deal with them.
func (s *share) forget(ctx context.Context, line redis.UniversalClient, events []redis.XMessage) error {
	for _, m := range events {
		if len(m.Values) > 0 {
			continue
		}
		if err := line.XAck(ctx, queue.EventsStream, s.group.name, m.ID).Err(); err != nil {
			return err
		}
	}
	return nil
}

// fresh reads events that no consumer has had.
func (s *share) fresh(ctx context.Context, line redis.UniversalClient, block time.Duration) ([]redis.XMessage, error) {
	var dropped error
	if s.unsure {
		if dropped = s.dropped(ctx, line); dropped != nil && !errors.Is(dropped, ErrEventsLost) {
			return nil, dropped
		}
		s.unsure = false
		if dropped != nil {
			return nil, dropped // before anything is taken: a caller who breaks here loses nothing
		}
	}
	events, err := s.read(ctx, line, ">", block)
	s.unsure = len(events) == groupBatch // more may be ahead, perhaps more than are kept
	return events, err
}

// dropped is ErrEventsLost when the oldest event lies after the last one that
// the group has had.
func (s *share) dropped(ctx context.Context, line redis.UniversalClient) error {
	groups, err := line.XInfoGroups(ctx, queue.EventsStream).Result()
	if err != nil {
		return err
	}
	for _, g := range groups {
		if g.Name == s.group.name && g.LastDeliveredID != beginning {
			return lost(ctx, line, g.LastDeliveredID)
		}
	}
	return nil
}

func (s *share) read(ctx context.Context, line redis.UniversalClient, after string, block time.Duration) ([]redis.XMessage, error) {
	return messages(line.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: s.group.name, Consumer: s.group.consumer, Streams: []string{queue.EventsStream, after}, Count: groupBatch, Block: block,
	}).Result())
}
