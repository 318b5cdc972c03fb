package events

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// tail is how far an iteration has read.
type tail struct {
	at     string
	unsure bool // events after this position may have left the stream
}

// next reads the next events. After less than a full batch none can
// be missing: the stream keeps tens of thousands.
func (t *tail) next(
	ctx context.Context, c redis.UniversalClient, block time.Duration,
) (found []redis.XMessage, err error) {
	if t.at == New {
		if t.at, err = lastPosition(ctx, c); err != nil {
			t.at = New
			return nil, err
		}
	}

	found, err = readAfter(ctx, c, t.at, block)
	if err != nil {
		t.unsure = t.at != beginning
		return nil, err
	}
	if len(found) == 0 {
		return nil, nil
	}
	if t.at != beginning && (t.unsure || len(found) == batch) {
		err = checkLost(ctx, c, t.at)
	}
	if err == nil || errors.Is(err, ErrLost) {
		t.at, t.unsure = found[len(found)-1].ID, false
	}
	return found, err
}
