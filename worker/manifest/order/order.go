// Package order puts the entries of a manifest into the order that
// its job asks for.
//
// It gives each key a sort key, so that package linesort sorts the
// entries with bounded memory. It knows no manifest format.
package order

import (
	"context"
	"encoding/binary"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/results"
	"github.com/stevedore-jobs/stevedore/worker/memory"
	"github.com/stevedore-jobs/stevedore/worker/natsort"
)

// Opener connects to a storage, as job.Env does.
type Opener func(ctx context.Context, s tasks.Storage) (providers.Bucket, error)

// Order is the order of the entries of one job. It is for one
// goroutine at a time. Close it when the entries are written.
type Order struct {
	sorting string
	list    list
	places  *table // of a predefined order
	budget  *memory.Budget
	release func()
}

// Load returns the order of a job. It reads a predefined order,
// which takes 24 bytes a key and is paid for by the budget. The job
// must not hold a share of the budget.
//
// If the list cannot be read or has a line that is no key, the
// error is Invalid or the bucket's own.
func Load(
	ctx context.Context, j tasks.BuildManifest, open Opener, budget *memory.Budget,
) (*Order, error) {
	o := &Order{sorting: j.Sorting, budget: budget, release: func() {}}
	if j.Sorting != tasks.SortingPredefined {
		return o, nil
	}
	o.list = list{keys: j.Order.Keys}
	o.list.storage, o.list.key = j.OrderSource()
	o.list.open = open
	return o, o.loadPlaces(ctx)
}

// Check returns an error if there is no object with the order of a
// job, or it cannot be read. It returns nil if the job needs none.
// Plan calls it, so that a job with a mistyped key reads no images.
func Check(ctx context.Context, j tasks.BuildManifest, open Opener) error {
	storage, key := j.OrderSource()
	if key == "" {
		return nil
	}
	b, err := open(ctx, storage)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	_, err = b.Stat(ctx, key)
	return err
}

// Budget returns the budget to sort with. It is part of what a
// predefined order has acquired, because a job that holds a share
// must not acquire another one.
func (o *Order) Budget() *memory.Budget { return o.budget }

// Close gives the memory back. It may be called twice.
func (o *Order) Close() { o.release() }

// Key returns the sort key of the entry of an object: the entry
// whose sort key has the smaller bytes comes first. Different
// objects have different sort keys. For a predefined order, Key
// also notes that the object has an entry, which Fit counts.
func (o *Order) Key(object string) string {
	switch o.sorting {
	case tasks.SortingNatural:
		// Names that are equal for natsort keep the order of their
		// code points: that is the order of the list that CVAT
		// sorts.
		return natsort.Key(object) + object
	case tasks.SortingPredefined:
		if place, ok := o.places.find(object); ok {
			return string(binary.BigEndian.AppendUint64([]byte{listed}, place))
		}
		return string(rune(unlisted)) + object
	}
	return object
}

// What the sort keys of a predefined order begin with.
const (
	listed   = 0
	unlisted = 1
)

// Fit says how the entries fit a predefined order. entries is how
// many there are; Key must have been called for each. Fit returns
// nil for other orders.
func (o *Order) Fit(ctx context.Context, entries int64) (*results.OrderFit, error) {
	if o.sorting != tasks.SortingPredefined {
		return nil, nil
	}
	fit := &results.OrderFit{
		Unlisted: entries - o.places.seen,
		Missing:  int64(len(o.places.all)) - o.places.seen,
	}
	if fit.Missing == 0 {
		return fit, nil
	}
	for key, err := range o.list.each(ctx) {
		if err != nil {
			return nil, err
		}
		if len(fit.Examples) == maxExamples {
			break
		}
		if o.places.takeMissing(key) {
			fit.Examples = append(fit.Examples, key)
		}
	}
	return fit, nil
}

// maxExamples is how many missing keys a result names.
const maxExamples = 20
