// Package payloadsize bounds how large the payload of a job may be.
package payloadsize

import (
	"cmp"
	"fmt"
)

// Max is how many bytes a payload may have, unless the operator
// allows more.
const Max = 1 << 20

// Error means that a payload is too large. Nobody reads it.
type Error struct{ Size, Limit int } // bytes

// Error names both sizes.
func (e *Error) Error() string {
	return fmt.Sprintf("the payload has %d bytes, and at most %d are allowed", e.Size, e.Limit)
}

// Check returns a *Error if size is above the
// limit. A limit of 0 means Max.
func Check(size, limit int) error {
	limit = cmp.Or(limit, Max)
	if size <= limit {
		return nil
	}
	return &Error{size, limit}
}
