package providers

// As finds an optional interface of a bucket, for example Prober: it
// looks at b, then at the bucket that b wraps, and so on. A wrapper
// lets As look further by a method Unwrap() Bucket, and need not
// forward the methods of optional interfaces.
func As[T any](b Bucket) (T, bool) {
	for b != nil {
		if found, ok := b.(T); ok {
			return found, true
		}
		wrapper, ok := b.(interface{ Unwrap() Bucket })
		if !ok {
			break
		}
		b = wrapper.Unwrap()
	}
	var none T
	return none, false
}
