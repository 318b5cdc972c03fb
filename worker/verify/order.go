package verify

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const (
	maxOrderDuration = 5 * time.Second
	maxOrderKeys     = 1000 // about a page of a listing
)

// checkOrder adds to a successful list check in which order the bucket
// lists its keys. Jobs can use a bucket in any of the known orders.
// The check fails if the keys are in none of them. A listing that
// fails in another way, or takes too long, changes nothing: the probe
// has checked it.
func (v *verification) checkOrder(ctx context.Context, b providers.Bucket) {
	at := slices.IndexFunc(v.checks, func(c tasks.Check) bool {
		return c.ID == tasks.CheckIDList && c.Status == tasks.CheckOK
	})
	if at < 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, maxOrderDuration)
	defer cancel()
	order, err := v.findOrder(ctx, b)
	var e *providers.Error
	switch {
	case errors.As(err, &e) && e.Code == providers.CodeUnorderedListing:
		v.checks[at] = failure(tasks.CheckIDList, err)
	case err == nil && order&keyorder.Bytes == 0:
		v.checks[at].Evidence += "; it lists its keys in the order " + order.String()
	}
}

// findOrder lists the first keys, and returns the orders that they are
// in.
func (v *verification) findOrder(
	ctx context.Context, b providers.Bucket,
) (keyorder.Order, error) {
	order, last, n := providers.OrderOf(b), "", 0
	for o, err := range b.List(ctx, providers.ListOptions{Prefix: v.storage.Prefix}) {
		if err != nil {
			return 0, err
		}
		if n > 0 {
			order = order.Narrow(last, o.Key)
		}
		if order == 0 {
			e := providers.Unordered(last, o.Key)
			e.Op, e.Bucket = "list", v.storage.Bucket
			return 0, e
		}
		if last, n = o.Key, n+1; n == maxOrderKeys {
			break
		}
	}
	return order, nil
}
