package job

import (
	"context"
	"errors"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Items calls do for each of the listed objects, env.Parallel at once,
// and yields their items in the same order, as Sharded.Work must. do
// need not set Key.
//
// If AsObjectError accepts an error of do, it becomes the item's Error,
// and of the item only Bytes, Tally and Counts are kept. Any other error ends the shard.
// If the bucket denied every object of the shard, the shard ends with
// that error after its last item. An item with Data shows that the
// bucket can be read, now or when an earlier run made what the item
// refers to. Nothing is known of the earlier objects of a shard that
// continues after an interruption, and Keys are objects that failed
// before: such shards do not end with a denial.
//
// With env.BeforeObject set, nothing runs at once: BeforeObject, do and
// the loop's body take turns in one goroutine.
func (s Shard) Items(
	ctx context.Context, env Env, objects []ListedObject,
	do func(context.Context, providers.Object) (Item, error),
) iter.Seq2[Item, error] {
	handle := func(ctx context.Context, o ListedObject) (handledObject, error) {
		return handleObject(ctx, o, do)
	}
	handled := Prefetch[ListedObject, handledObject]{
		Do: handle, Before: env.MayBegin, Parallel: env.Parallel,
	}.Range
	if env.BeforeObject != nil {
		handled = careful{env, handle}.Range
	}

	return func(yield func(Item, error) bool) {
		var denied denials
		for h, err := range handled(ctx, objects) {
			if h.showsAccess() {
				denied.add(h.item.Error, h.err)
			}
			if !yield(h.item, err) || err != nil {
				return
			}
		}
		if s.Keys != nil || int64(len(objects)) < s.Objects {
			return
		}
		if err := denied.asJobError(s); err != nil {
			yield(Item{}, err)
		}
	}
}

// handledObject is an object's item, and the error behind its Error.
type handledObject struct {
	item Item
	err  error
}

// handleObject makes the item of one object. It returns only errors
// that concern the job.
func handleObject(
	ctx context.Context, o ListedObject,
	do func(context.Context, providers.Object) (Item, error),
) (handledObject, error) {
	item, err := Item{}, o.Err
	if err == nil {
		item, err = do(ctx, o.Object)
	}
	item.Key = o.Key
	if err == nil {
		return handledObject{item: item}, nil
	}
	line, ok := AsObjectError(o.Key, err)
	if !ok {
		return handledObject{}, err
	}
	return handledObject{
		Item{
			Key: o.Key, Bytes: item.Bytes, Tally: item.Tally, Counts: item.Counts, Error: &line,
		}, err,
	}, nil
}

// showsAccess reports whether the item shows if the bucket can be read:
// the bucket returned bytes or an error, or an earlier run has read the
// object.
func (h handledObject) showsAccess() bool {
	return h.item.Bytes > 0 || len(h.item.Data) > 0 || errors.As(h.err, new(*providers.Error))
}

// careful works on one object at a time, so that the engine can find
// the object that crashes its worker.
type careful struct {
	env    Env
	handle func(context.Context, ListedObject) (handledObject, error)
}

// mayBegin asks the engine whether to begin an object.
func (c careful) mayBegin(ctx context.Context, key string) error {
	if c.env.MayBegin != nil {
		if err := c.env.MayBegin(); err != nil {
			return err
		}
	}
	return c.env.BeforeObject(ctx, key)
}

// Range yields the handled objects in order. An error of mayBegin or
// handle is yielded in its place and ends the loop.
func (c careful) Range(
	ctx context.Context, objects []ListedObject,
) iter.Seq2[handledObject, error] {
	return func(yield func(handledObject, error) bool) {
		for _, o := range objects {
			r := try(ctx, func() (handledObject, error) {
				if err := c.mayBegin(ctx, o.Key); err != nil {
					return handledObject{}, err
				}
				return c.handle(ctx, o)
			})
			if !yield(r.value, orCause(ctx, r.err)) || r.err != nil {
				return
			}
		}
	}
}
