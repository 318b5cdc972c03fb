package imagehead

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// KeyFault is why labelling tools cannot use a key.
type KeyFault string

// The faults of keys. A key with several has the first of them.
const (
	KeyEmpty        KeyFault = "empty-key"
	KeyNotUTF8      KeyFault = "not-utf-8"
	KeyTooLong      KeyFault = "too-long"
	KeyBackslash    KeyFault = "backslash" // CVAT turns it into a slash
	KeyNUL          KeyFault = "nul-character"
	KeyLeadingSlash KeyFault = "leading-slash"
	KeyEmptySegment KeyFault = "empty-segment"   // "a//b", or a slash at the end
	KeyDotSegment   KeyFault = "dot-segment"     // "a/./b"
	KeyDotDot       KeyFault = "dot-dot-segment" // "a/../b"
)

// maxKey is CVAT's MAX_FILENAME_LENGTH, in characters.
const maxKey = 1024

// FaultOf returns why labelling tools cannot use a key, or an empty
// fault if they can (CVAT 2.73, cvat/utils/paths.py:
// problem_with_untrusted_path). A usable key is a canonical
// relative path in valid UTF-8, has no backslash and no NUL
// character, and has at most 1024 characters.
func FaultOf(key string) KeyFault {
	switch {
	case key == "":
		return KeyEmpty
	case !utf8.ValidString(key):
		return KeyNotUTF8
	case utf8.RuneCountInString(key) > maxKey:
		return KeyTooLong
	case strings.Contains(key, `\`):
		return KeyBackslash
	case strings.Contains(key, "\x00"): // no file system has it in names
		return KeyNUL
	case strings.HasPrefix(key, "/"):
		return KeyLeadingSlash
	}
	for segment := range strings.SplitSeq(key, "/") {
		switch segment {
		case "":
			return KeyEmptySegment
		case ".":
			return KeyDotSegment
		case "..":
			return KeyDotDot
		}
	}
	return ""
}

// detail says in words what is wrong.
func (f KeyFault) detail() string {
	switch f {
	case KeyEmpty:
		return "the key is empty"
	case KeyNotUTF8:
		return "the key is not valid UTF-8"
	case KeyTooLong:
		return fmt.Sprintf("the key is longer than %d characters", maxKey)
	case KeyBackslash:
		return "the key contains a backslash, which CVAT turns into a slash"
	case KeyNUL:
		return "the key contains a NUL character"
	case KeyLeadingSlash:
		return "the key starts with a slash"
	case KeyDotSegment:
		return `the key has the path segment "."`
	case KeyDotDot:
		return `the key has the path segment ".."`
	}
	return `the key has the path segment ""`
}

// CheckKey returns a *head.Error with head.CodeUnusableKey if
// FaultOf finds a fault in a key.
func CheckKey(key string) error {
	fault := FaultOf(key)
	if fault == "" {
		return nil
	}
	return &head.Error{Code: head.CodeUnusableKey, Detail: fault.detail()}
}
