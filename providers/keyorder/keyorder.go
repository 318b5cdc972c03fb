// Package keyorder knows the orders in which object stores list keys,
// and compares keys by them.
//
// Which order a bucket has is often not known. But it can be narrowed
// down while the bucket is listed: each pair of keys that follow each
// other rules out the orders that would have them the other way round.
// So an Order is a set of candidates. Two orders that agree on all
// neighbours in a listing agree on the whole listing, so a set of
// candidates is as useful as the one true order.
//
// It knows no bucket and no cloud. All functions are safe for
// concurrent use.
package keyorder

// Order is a set of orders in which a bucket may list its keys. Each of
// them fits what is known of the bucket. The zero value is the empty
// set: no order fits.
type Order uint8

// The orders. A further one is a constant here and a line in the table.
const (
	// Bytes is the ascending order of bytes. For UTF-8 it is also that
	// of code points.
	Bytes Order = 1 << iota
	// UTF16 is the ascending order of UTF-16 code units, in which Java
	// and JavaScript compare text. It differs from Bytes for characters
	// above U+FFFF: they come before U+E000 to U+FFFF.
	UTF16
	// Directories has the slash before every other byte, and is as
	// Bytes otherwise. Stores with real directories list in it.
	Directories
	// DirectoriesUTF16 has the slash before every other unit, and is as
	// UTF16 otherwise.
	DirectoriesUTF16

	end
	// Unknown is the set of all orders.
	Unknown = end - 1
)

// Before reports whether a comes before b in every order of the set. It
// is false for equal keys and for the empty set.
func (o Order) Before(a, b string) bool { return o != 0 && o.Narrow(a, b) == o }

// Narrow returns the orders of the set in which a comes before b. If
// there are none, a bucket that lists b after a has none of these
// orders.
func (o Order) Narrow(a, b string) Order {
	i := FirstDifference(a, b)
	switch {
	case i == len(b): // b is a, or a beginning of a
		return 0
	case i == len(a):
		return o
	}
	return o & before[a[i]][b[i]]
}

// Compare compares keys by the first order of the set, in the order of
// the constants: -1 if a comes before b, 0 if they are equal and 1
// otherwise. The empty set compares as Bytes.
func (o Order) Compare(a, b string) int {
	switch {
	case a == b:
		return 0
	case o.First().Before(a, b):
		return -1
	}
	return 1
}

// First returns the first order of the set, in the order of the
// constants. For the empty set it returns Bytes.
func (o Order) First() Order {
	if o == 0 {
		return Bytes
	}
	return o & -o
}

// Each returns the orders of the set one by one.
func (o Order) Each() []Order {
	var orders []Order
	for one := Bytes; one < end; one <<= 1 {
		if o&one != 0 {
			orders = append(orders, one)
		}
	}
	return orders
}

// FirstDifference returns the first position at which two keys differ,
// in bytes, or the length of the shorter one.
func FirstDifference(a, b string) int {
	const step = 16 // comparing a few bytes at once is faster
	n, i := min(len(a), len(b)), 0
	for i+step <= n && a[i:i+step] == b[i:i+step] {
		i += step
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}
