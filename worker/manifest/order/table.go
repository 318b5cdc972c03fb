package order

import (
	"cmp"
	"context"
	"hash/maphash"
	"slices"

	"github.com/stevedore-jobs/stevedore/worker/memory"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// table knows the places of keys in a list. It holds no keys but
// 128 bits of their hashes, with random seeds: that two keys of a
// list have the same ones is less likely than that the memory is
// faulty.
type table struct {
	seeds [2]maphash.Seed
	all   []place // by their hashes; each key once
	seen  int64   // how many of them find has found
}

// place is a key's place in a list.
type place struct {
	hash  [2]uint64
	place uint64 // from 0; the bit found says that there is an entry
}

const (
	placeSize = 24 // bytes
	found     = 1 << 63
)

func (t *table) hash(key string) [2]uint64 {
	return [2]uint64{maphash.String(t.seeds[0], key), maphash.String(t.seeds[1], key)}
}

// fill puts the keys of a list into a table with room for n keys.
// Of a key that the list has twice, the first place counts.
func fill(ctx context.Context, l list, n int) (*table, error) {
	t := &table{
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		all:   make([]place, 0, n),
	}
	for key, err := range l.each(ctx) {
		if err != nil {
			return nil, err
		}
		t.all = append(t.all, place{t.hash(key), uint64(len(t.all))})
	}
	err := steps.Sort(ctx, t.all, func(a, b place) int {
		return cmp.Or(compare(a.hash, b.hash), cmp.Compare(a.place, b.place))
	})
	t.all = slices.CompactFunc(t.all, func(a, b place) bool { return a.hash == b.hash })
	return t, err
}

func compare(a, b [2]uint64) int {
	return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
}

func (t *table) search(key string) *place {
	i, ok := slices.BinarySearchFunc(t.all, t.hash(key), func(p place, hash [2]uint64) int {
		return compare(p.hash, hash)
	})
	if !ok {
		return nil
	}
	return &t.all[i]
}

// find returns the place of a key, and notes that there is an
// entry.
func (t *table) find(key string) (uint64, bool) {
	p := t.search(key)
	if p == nil {
		return 0, false
	}
	if p.place&found == 0 {
		p.place |= found
		t.seen++
	}
	return p.place &^ found, true
}

// takeMissing reports whether a key has no entry, once for each
// key.
func (t *table) takeMissing(key string) bool {
	p := t.search(key)
	if p == nil || p.place&found != 0 {
		return false
	}
	p.place |= found
	return true
}

// sortMemory is what sorting takes beside a table, in bytes.
const sortMemory = 48 << 20

// loadPlaces reads the list twice: first to know how much memory it
// takes.
func (o *Order) loadPlaces(ctx context.Context) error {
	if err := o.list.fix(ctx); err != nil {
		return err
	}
	n := 0
	for _, err := range o.list.each(ctx) {
		if err != nil {
			return err
		}
		n++
	}
	size := int64(n) * placeSize
	forSorting := min(sortMemory, o.budget.Largest()/2)
	release, err := o.budget.Acquire(ctx, size+forSorting)
	if err != nil {
		return err
	}
	if o.places, err = fill(ctx, o.list, n); err != nil {
		release()
		return err
	}
	o.release, o.budget = release, memory.New(forSorting)
	return nil
}
