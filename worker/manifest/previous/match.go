package previous

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// MaxRemoved is how many removed keys a run names.
const MaxRemoved = 100

// Matcher finds the entries of a manifest for the objects of a listing.
//
// Usually both have the order of code points, and the matcher holds
// one entry. Entries that come before their objects wait in memory,
// which the budget pays for: all of them if the manifest is sorted in
// another way. Make one with NewMatcher, and call Close.
type Matcher struct {
	manifest *Manifest
	dir      string // of the manifest, with a slash at its end, or empty
	sorted   bool   // by code points, as far as is known

	next    entry.Entry
	hasNext bool
	ended   bool
	lastKey string // of the entry before

	waiting map[string]entry.Entry // by key
	room    int                    // bytes that are paid for and free
	budget  *memory.Budget
	paid    []func()
	inexact bool // some entries were not found
}

// NewMatcher makes a matcher. dir is the directory of the manifest.
// sorted is false if its entries do not have the order of code points.
func NewMatcher(m *Manifest, dir string, sorted bool, budget *memory.Budget) *Matcher {
	return &Matcher{
		manifest: m, dir: dir, sorted: sorted,
		waiting: map[string]entry.Entry{}, budget: budget,
	}
}

// Close gives the memory back and ends the reading.
func (m *Matcher) Close() {
	for _, release := range m.paid {
		release()
	}
	m.paid, m.waiting = nil, nil
	m.manifest.Close()
}

// Match returns what the manifest says about an object. Each object is
// asked for once, in the order of the listing, whatever that is.
func (m *Matcher) Match(ctx context.Context, o providers.Object) (Known, error) {
	for !m.ended && (!m.sorted || !m.hasNext || keyorder.Bytes.Before(m.next.Name, o.Key)) {
		if err := m.advance(ctx); err != nil {
			return Known{}, err
		}
	}
	if m.hasNext && m.next.Name == o.Key {
		m.hasNext = false
		return knownOf(m.next, o), nil
	}
	e, ok := m.waiting[o.Key]
	if !ok {
		return Known{State: Added}, nil
	}
	delete(m.waiting, o.Key)
	return knownOf(e, o), nil
}

// advance reads the next entry. The one before waits for its object.
func (m *Matcher) advance(ctx context.Context) error {
	if m.hasNext {
		m.wait(m.next)
		m.hasNext = false
	}
	e, ok, err := m.manifest.next()
	switch {
	case errors.Is(err, io.EOF):
		m.ended = true
		return nil
	case err != nil || !ok:
		return err
	}
	e.Name = m.dir + e.Name
	if m.sorted && m.lastKey != "" && !keyorder.Bytes.Before(m.lastKey, e.Name) {
		// It is not sorted after all. Objects may have been taken for
		// new although their entries come only now.
		m.sorted, m.inexact = false, true
	}
	m.lastKey, m.next, m.hasNext = e.Name, e, true
	return ctx.Err()
}

// entryRoom is about how many bytes of memory an entry takes beside its
// texts.
const entryRoom = 200

// wait keeps an entry. If there is no memory for it, all are forgotten:
// their objects are read again.
func (m *Matcher) wait(e entry.Entry) {
	if m.waiting == nil {
		return
	}
	m.room -= entryRoom + len(e.Name) + len(e.ETag)
	if m.room < 0 {
		const step = 1 << 20
		release, ok := m.budget.TryAcquire(step)
		if !ok {
			m.waiting, m.inexact = nil, true
			return
		}
		m.paid = append(m.paid, release)
		m.room += step
	}
	m.waiting[e.Name] = e
}

// Facts reads the rest of the manifest and returns what Finish needs.
// The listing has ended. resumed says that it did not begin at its
// start, so that nobody knows which entries have no object.
func (m *Matcher) Facts(ctx context.Context, resumed bool) (Facts, error) {
	var removed []string
	for key := range m.waiting {
		removed = append(removed, key)
	}
	clear(m.waiting)
	for !m.ended {
		if m.hasNext {
			removed = append(removed, m.next.Name)
			m.hasNext = false
		}
		if len(removed) > 2*MaxRemoved {
			removed = first(removed)
		}
		if err := m.advance(ctx); err != nil {
			return Facts{}, err
		}
	}
	f := m.manifest.facts()
	f.Inexact = f.Inexact || m.inexact
	if !resumed && !f.Inexact {
		f.Removed = first(removed)
	}
	return f, nil
}

// first returns the first keys in the order of code points.
func first(keys []string) []string {
	slices.SortFunc(keys, keyorder.Bytes.Compare)
	return keys[:min(len(keys), MaxRemoved)]
}
