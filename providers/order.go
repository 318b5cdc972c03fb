package providers

import (
	"fmt"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// Ordered is implemented by buckets that know in which order they list
// their keys, or find it out.
type Ordered interface {
	// KeyOrder returns the orders that fit all that is known of the
	// bucket. While the bucket is listed, they become fewer.
	KeyOrder() keyorder.Order
}

// OrderOf returns the orders that fit all that is known of b. If b is
// not Ordered, that is every order.
func OrderOf(b Bucket) keyorder.Order {
	if o, ok := As[Ordered](b); ok {
		return o.KeyOrder()
	}
	return keyorder.Unknown
}

// CodeUnorderedListing is the code of the error that a List ends with
// if the keys are in none of the orders of package keyorder.
const CodeUnorderedListing = "UnorderedListing"

// Unordered makes the error for a server that lists a key after another
// one though it comes before it in all possible orders.
func Unordered(last, key string) *Error {
	detail := fmt.Sprintf("the server lists %.200q and then %.200q", last, key)
	if last == key {
		detail = fmt.Sprintf("the server lists %.200q twice", key)
	}
	return &Error{
		Kind: Invalid, Code: CodeUnorderedListing,
		Detail: detail + ", so its listing is in none of the orders that are known: " +
			keyorder.Unknown.String(),
		Fix: "Check that nothing between the worker and the bucket changes the listing. " +
			"If the server itself lists so, use another server or gateway for this bucket.",
	}
}
