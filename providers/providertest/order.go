package providertest

import (
	"slices"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// Sorted returns keys in an order.
func Sorted(order keyorder.Order, keys ...string) []string {
	return slices.SortedFunc(slices.Values(keys), order.Compare)
}

// WantFoundOrder stores objects in an empty bucket that does not know
// its order. It checks that the bucket lists them as they are given, and
// that it then knows the order.
func WantFoundOrder(
	t testing.TB, b providers.Bucket, want keyorder.Order, keys ...string,
) {
	t.Helper()
	if order := providers.OrderOf(b); order != keyorder.Unknown {
		t.Errorf("before the listing the order is %s", order)
	}
	for _, key := range keys {
		put(t, b, key, "x")
	}
	got, err := Keys(t.Context(), b, providers.ListOptions{})
	if err != nil || !slices.Equal(got, keys) {
		t.Errorf("listed %q, %v; want %q", got, err, keys)
	}
	if order := providers.OrderOf(b); order != want {
		t.Errorf("found the order %s, want %s", order, want)
	}
}
