package head

import (
	"errors"
	"math"
)

// Front returns the first n bytes of an object, valid until the next
// read. If the object is shorter, the error is an *Error of the type.
func Front(s *Source, t Type, n int64) ([]byte, error) {
	b, err := s.At(0, n)
	return b, Cut(t, err)
}

// Cut turns ErrShort into the *Error of an image that ends within its
// header. Other errors stay as they are.
func Cut(t Type, err error) error {
	if errors.Is(err, ErrShort) {
		return Corrupt(t, "the %s ends within its header", t)
	}
	return err
}

// Upright returns the head of an image without an orientation. It
// returns an *Error if the size is not that of an image.
func Upright(t Type, width, height int64, l Layout) (Head, error) {
	if width < 1 || height < 1 || width > math.MaxInt32 || height > math.MaxInt32 {
		return Head{}, Corrupt(t, "the %s's header says %d x %d pixels", t, width, height)
	}
	return Head{
		Type: t, Width: int(width), Height: int(height), Orientation: 1, Layout: l,
	}, nil
}
