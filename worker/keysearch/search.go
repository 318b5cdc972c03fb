// Package keysearch finds names among the keys of a bucket with few
// requests, whatever the order in which the bucket lists.
//
// It knows no job.
package keysearch

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// maxGap is how many listed keys in a row may be useless. After that, a
// new listing from the next name on costs less than more of this one:
// it is about a page.
const maxGap = 1000

// Search finds names among the keys of a bucket. It lists the bucket
// instead of asking for each name, and leaves out parts with many other
// keys.
type Search struct {
	// Prefix is what all names start with.
	Prefix string
	// Order is what the caller knows of the bucket's order; 0 if
	// nothing.
	Order keyorder.Order
	// NameOf returns the name that a key belongs to: the key itself, or
	// what it starts with. It returns false for other keys.
	NameOf func(key string) (name string, ok bool)
}

// Find returns the keys that belong to names, by these names. If a name
// has several keys, the one that is listed first counts.
//
// While several orders fit the bucket, Find lists all that may hold a
// name in one of them. A name that it does not find can still be there
// if the bucket has none of the orders of package keyorder.
func (s Search) Find(
	ctx context.Context, b providers.Bucket, names []string,
) (map[string]string, error) {
	found := make(map[string]string, len(names))
	wanted := make(map[string]bool, len(names))
	for _, name := range names {
		wanted[name] = true
	}
	var err error
	for err == nil && len(names) > 0 {
		names, err = s.follow(ctx, b, names, func(key string) bool {
			name, ok := s.NameOf(key)
			if !ok || !wanted[name] {
				return false
			}
			delete(wanted, name)
			found[name] = key
			return true
		})
		if len(wanted) == 0 {
			break
		}
	}
	return found, err
}

// follow lists from the first of the names until it is behind all of
// them, or until maxGap keys in a row were useless. Then it returns the
// names that may come behind the listed keys. take reports whether a
// key is of use.
func (s Search) follow(
	ctx context.Context, b providers.Bucket, names []string, take func(key string) bool,
) (rest []string, err error) {
	var work steps.Counter
	at, err := newSpan(ctx, &work, names, s.order(b))
	if err != nil {
		return nil, err
	}
	gap := 0
	opts := providers.ListOptions{Prefix: s.Prefix, After: at.start, Order: at.order}
	for o, err := range b.List(ctx, opts) {
		if err != nil {
			return nil, err
		}
		if gap++; take(o.Key) {
			gap = 0
		}
		if at.endsBefore(o.Key) {
			return nil, nil
		}
		if gap < maxGap {
			continue
		}
		rest, err := namesFrom(ctx, &work, names, at.order, o.Key)
		if err != nil || len(rest) == 0 {
			return nil, err
		}
		left, err := newSpan(ctx, &work, rest, s.order(b))
		if err != nil || at.order.Before(o.Key, left.start) {
			return rest, err
		}
		gap = 0
	}
	return nil, nil
}

// order returns the orders that fit the bucket and what the caller
// knows.
func (s Search) order(b providers.Bucket) keyorder.Order {
	known := providers.OrderOf(b)
	if s.Order&known == 0 { // the bucket has changed
		return known
	}
	return s.Order & known
}

// span is a range of keys that holds some names, and the keys that
// belong to them, in each of several orders.
type span struct {
	order keyorder.Order
	start string   // before all of the names
	last  []string // for each of the orders: the name whose keys come last
}

// nameWork is how many steps it takes to compare a name.
const nameWork = 64

// newSpan returns the span of at least one name. Its error is the cause
// of ctx's end.
func newSpan(
	ctx context.Context, work *steps.Counter, names []string, order keyorder.Order,
) (span, error) {
	s := span{order: order}
	start := ""
	for i, one := range order.Each() {
		first, last := names[0], names[0]
		for _, name := range names[1:] {
			if err := work.Add(ctx, nameWork); err != nil {
				return s, err
			}
			if one.Before(name, first) {
				first = name
			}
			if endsBehind(name, last, one) {
				last = name
			}
		}
		s.last = append(s.last, last)
		if i == 0 {
			start = first
		}
		start = commonStart(start, first)
		if start == first { // the listing must have the first name too
			_, size := utf8.DecodeLastRuneInString(start)
			start = start[:len(start)-size]
		}
	}
	s.start = start
	return s, nil
}

// endsBefore reports whether all keys that belong to the names come
// before a key, in each of the orders.
func (s span) endsBefore(key string) bool {
	for i, one := range s.order.Each() {
		if !isPast(s.last[i], one, key) {
			return false
		}
	}
	return true
}

// endsBehind reports whether the last key that starts with one name
// comes behind those that start with another.
func endsBehind(name, other string, order keyorder.Order) bool {
	return strings.HasPrefix(other, name) ||
		!strings.HasPrefix(name, other) && order.Before(other, name)
}

// isPast reports whether all keys that start with a name come before a
// key.
func isPast(name string, order keyorder.Order, key string) bool {
	return !strings.HasPrefix(key, name) && order.Before(name, key)
}

// namesFrom returns the names that have keys at or behind a key. Its
// error is the cause of ctx's end.
func namesFrom(
	ctx context.Context, work *steps.Counter, names []string, order keyorder.Order, key string,
) (rest []string, err error) {
	for _, name := range names {
		if err := work.Add(ctx, nameWork); err != nil {
			return nil, err
		}
		if !isPast(name, order, key) {
			rest = append(rest, name)
		}
	}
	return rest, nil
}

// commonStart returns what both strings start with, as whole
// characters. In every order it comes before both.
func commonStart(a, b string) string {
	n := keyorder.FirstDifference(a, b)
	for n < len(a) && n > 0 && !utf8.RuneStart(a[n]) {
		n--
	}
	return a[:n]
}
