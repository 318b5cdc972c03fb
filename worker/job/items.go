package job

import (
	"context"
	"errors"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Items is how a job works on a shard: it calls do for each of the listed
// objects as Ordered does, and yields what came of them as Sharded.Work must.
// An error of do that Fault takes is the item's Fault, of which only Bytes is
// kept besides; any other ends the shard. do need not set Key.
//
// A shard whose every object was denied ends with that error, after its items
// (see Denials), but not when After has moved on since it was planned, for
// what came before is not known here; nor when it has Keys, which are chosen
// for having failed.
func (s Shard) Items(
	ctx context.Context, env Env, objects []Listed, do func(context.Context, providers.Object) (Item, error),
) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		var denials Denials
		deal := func(ctx context.Context, o Listed) (dealt, error) { return deal(ctx, o, do) }
		for d, err := range Ordered(ctx, env, objects, deal) {
			if d.asked() {
				denials.Note(d.item.Fault, d.err)
			}
			if !yield(d.item, err) || err != nil {
				return
			}
		}
		if s.Keys != nil || int64(len(objects)) < s.Objects {
			return
		}
		if err := denials.Err(s); err != nil {
			yield(Item{}, err)
		}
	}
}

// dealt is an item, and the error behind its fault.
type dealt struct {
	item Item
	err  error
}

func deal(ctx context.Context, o Listed, do func(context.Context, providers.Object) (Item, error)) (dealt, error) {
	item, err := Item{}, o.Err
	if err == nil {
		item, err = do(ctx, o.Object)
	}
	item.Key = o.Key
	if err == nil {
		return dealt{item: item}, nil
	}
	fault, ok := Fault(o.Key, err)
	if !ok {
		return dealt{}, err
	}
	return dealt{Item{Key: o.Key, Bytes: item.Bytes, Fault: &fault}, err}, nil
}

// asked reports whether the bucket was asked for the object: it gave bytes,
// or refused them.
func (d dealt) asked() bool {
	return d.item.Bytes > 0 || errors.As(d.err, new(*providers.Error))
}
