// Package imagehead reads an image's size, orientation and type from
// its first bytes, and decides by an object's name whether it is an
// image.
//
// It knows no bucket and decodes no pixels: the caller fetches the
// bytes. It asks only for bytes that it needs and skips the others. The
// bytes come from strangers, so every length in them is checked before
// it is used.
//
// To add a type of image, write a file like png.go and add a line to
// formats.
package imagehead

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// Read reads the head of an object of size bytes. It fetches the first
// bytes, then what it still needs in pieces of 4, 16 and 64 KiB.
//
// If the image itself is wrong, the error is an *Error. Errors of fetch
// are returned as they are.
func Read(fetch head.Fetch, size, first int64) (head.Head, error) {
	if size <= 0 {
		return head.Head{}, &head.Error{Code: head.CodeEmpty, Detail: "the object is empty"}
	}
	r := head.NewSource(fetch, size, max(first, head.MaxSignature))
	start, err := r.At(0, min(size, head.MaxSignature))
	if errors.Is(err, head.ErrShort) {
		return head.Head{}, head.Corrupt("", "the object is shorter than it was listed")
	}
	if err != nil {
		return head.Head{}, err
	}

	h, matched, err := readFormats(r, bytes.Clone(start))
	if matched {
		return withLimit(h), err
	}
	if t := otherByContent(start); t != "" {
		return head.Head{}, unsupported(t, "the content is "+string(t))
	}
	return head.Head{}, head.Corrupt("",
		"the content has no signature of a known image type: it starts with % x", start)
}

// readFormats reads the head with the first format that matches and
// finds the image sound. If none does, the error is that of the first.
// matched reports whether any matches.
func readFormats(r *head.Source, start []byte) (h head.Head, matched bool, err error) {
	var first error
	for _, f := range formats {
		if !f.Matches(start) {
			continue
		}
		h, err = f.Read(r)
		var broken *head.Error
		if errors.As(err, &broken) && broken.Code == head.CodeCorrupt {
			first = cmp.Or(first, err)
			continue
		}
		h.Refusal = cmp.Or(f.refusal, h.Refusal)
		return h, true, err
	}
	return head.Head{}, first != nil, first
}

// maxPixels is how many pixels Pillow opens at most: twice
// Image.MAX_IMAGE_PIXELS (Pillow 12.3, Image._decompression_bomb_check).
const maxPixels = 2 * (1 << 30 / 4 / 3)

// withLimit notes that CVAT cannot open an image of more pixels.
func withLimit(h head.Head) head.Head {
	if h.Refusal == "" && int64(h.Width)*int64(h.Height) > maxPixels {
		h.Refusal = fmt.Sprintf("CVAT opens no image of more than %d pixels, and this has %d x %d",
			maxPixels, h.Width, h.Height)
	}
	return h
}

func unsupported(t head.Type, what string) *head.Error {
	return &head.Error{
		Code: head.CodeUnsupported, Type: t,
		Detail: what + ", which is not supported (supported: " + supported() + ")",
	}
}
