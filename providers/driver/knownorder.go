package driver

import (
	"sync/atomic"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// KnownOrder is what is known of the order in which a bucket lists its
// keys. The zero value knows nothing. It is safe for concurrent use,
// and implements providers.Ordered for the bucket that embeds it.
type KnownOrder struct{ excluded atomic.Uint32 }

// NewKnownOrder makes a KnownOrder that knows the possible orders.
func NewKnownOrder(possible keyorder.Order) *KnownOrder {
	k := &KnownOrder{}
	k.Learn(possible)
	return k
}

// KeyOrder returns the orders that are still possible.
func (k *KnownOrder) KeyOrder() keyorder.Order {
	return keyorder.Unknown &^ keyorder.Order(k.excluded.Load())
}

// Learn rules out all orders that are not in the given set. If that
// leaves none, it changes nothing.
func (k *KnownOrder) Learn(possible keyorder.Order) {
	for {
		old := k.excluded.Load()
		excluded := old | uint32(keyorder.Unknown&^possible)
		if excluded == old || excluded == uint32(keyorder.Unknown) ||
			k.excluded.CompareAndSwap(old, excluded) {
			return
		}
	}
}
