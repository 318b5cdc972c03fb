package redisconn

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// askEvery is how often Watch asks Redis.
	askEvery = time.Second
	// answerTime is how long Redis may take to answer.
	answerTime = 2 * time.Second
)

// Outage notes when Redis goes away and when it is back, and calls Gone
// and Back, which must be set. A nil *Outage notes nothing. It is safe
// for concurrent use.
type Outage struct {
	Gone func(err error)
	Back func(away time.Duration) // since Gone was called

	mu    sync.Mutex
	since time.Time // zero while Redis answers
}

// Note notes how a call has ended: nil means that Redis has answered.
// Of several equal notes only the first has an effect.
func (o *Outage) Note(err error) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case err != nil && o.since.IsZero():
		o.since = time.Now()
		o.Gone(err)
	case err == nil && !o.since.IsZero():
		o.Back(time.Since(o.since))
		o.since = time.Time{}
	}
}

// Watch asks Redis once a second whether it answers, and notes it, until
// ctx ends.
func (o *Outage) Watch(ctx context.Context, c redis.UniversalClient) {
	ticks := time.NewTicker(askEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		if err := Ping(ctx, c); ctx.Err() == nil {
			o.Note(err)
		}
	}
}

// Ping asks whether Redis answers: of a cluster every master. It waits
// at most two seconds.
func Ping(ctx context.Context, c redis.UniversalClient) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return eachMaster(ctx, c, func(ctx context.Context, c redis.UniversalClient) error {
		return c.Ping(ctx).Err()
	})
}

// eachMaster calls ask with the client of each master of a cluster, at
// the same time, or else with c.
func eachMaster(
	ctx context.Context, c redis.UniversalClient,
	ask func(context.Context, redis.UniversalClient) error,
) error {
	cluster, ok := c.(*redis.ClusterClient)
	if !ok {
		return ask(ctx, c)
	}
	return cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		return ask(ctx, node)
	})
}
