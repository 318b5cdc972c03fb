package tasks

import (
	"cmp"
	"fmt"
)

// MaxPayload is how many bytes a payload may have, unless the operator
// allows more.
const MaxPayload = 1 << 20

// PayloadSizeError means that a payload is too large. Nobody reads it.
type PayloadSizeError struct{ Size, Limit int } // bytes

// Error names both sizes.
func (e *PayloadSizeError) Error() string {
	return fmt.Sprintf("the payload has %d bytes, and at most %d are allowed", e.Size, e.Limit)
}

// CheckPayloadSize returns a *PayloadSizeError if size is above the
// limit. A limit of 0 means MaxPayload.
func CheckPayloadSize(size, limit int) error {
	limit = cmp.Or(limit, MaxPayload)
	if size <= limit {
		return nil
	}
	return &PayloadSizeError{size, limit}
}
