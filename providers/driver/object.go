package driver

import (
	"fmt"
	"unicode/utf8"

	"github.com/stevedore-jobs/stevedore/providers"
)

const (
	// maxKey is the longest key of every cloud: 1,024 bytes at S3 and
	// Google, 1,024 characters at Azure.
	maxKey = 1024
	// maxETag is in bytes. The longest ETags of the clouds have about
	// 40.
	maxETag = 1024
	// maxShown is how much of a key that is too long errors show, in
	// bytes.
	maxShown = 60
)

// CheckObject returns an Invalid error for a description of an object
// that no storage service can give: its size is negative, or its ETag
// too long.
func CheckObject(o providers.Object) error {
	switch {
	case o.Size < 0:
		return badObject(fmt.Sprintf("a size of %d bytes for %s", o.Size, Printable(o.Key)))
	case len(o.ETag) > maxETag:
		return badObject(fmt.Sprintf("an ETag of %d bytes for %s", len(o.ETag), Printable(o.Key)))
	}
	return nil
}

// checkKey returns an Invalid error for a key that no object can have:
// it is empty or too long.
func checkKey(key string, inCharacters bool) error {
	length, unit := len(key), "bytes"
	if inCharacters {
		length, unit = utf8.RuneCountInString(key), "characters"
	}
	switch {
	case key == "":
		return badObject("an object without a key")
	case length > maxKey:
		e := badObject(fmt.Sprintf("a key of %d %s, more than %d; it begins with %q",
			length, unit, maxKey, Printable(key[:maxShown])))
		e.Code = "KeyTooLong"
		return e
	}
	return nil
}

func badObject(what string) *providers.Error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "WrongAnswer",
		Detail: "the server answered with " + what,
		Fix:    "Check the server: no storage service sends such an answer.",
	}
}
