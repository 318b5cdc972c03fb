// Package natsort sorts names as the Python library natsort does
// in its function os_sorted, which CVAT calls for the sorting
// method "natural".
//
// It follows natsort 8.4.0 with the options LOCALE, PATH and
// IGNORECASE, without PyICU and with the locale C.UTF-8: so it
// runs in CVAT 2.73. Numbers count by their value, and a number
// comes before any other text. The case of letters does not
// count.
//
// It knows names of files, and nothing of buckets or manifests.
package natsort

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// What a key is made of, beside the texts and numbers. A part of
// a name that ends earlier comes first, so the end is the smaller
// byte.
const (
	end  = 0 // of a component, or of the whole key
	more = 1 // another text, number or component follows
)

// Key returns the sort key of a name: of two names, the one whose
// key has the smaller bytes comes first. Names with equal keys,
// such as "A1.jpg" and "a01.jpg", are equal for natsort, which
// keeps them in the order in which it got them.
//
// A key takes about two bytes for each byte of the name, and
// eight more at most for each number and each component.
func Key(name string) string {
	key := make([]byte, 0, 2*len(name)+16)
	for _, component := range components(name) {
		key = append(key, more)
		key = appendComponent(key, fold(component))
	}
	return string(append(key, end))
}

// components splits a name into its directories, its stem and up
// to two extensions (natsort.utils.path_splitter). Empty ones are
// left out.
func components(name string) []string {
	parts := pathParts(name)
	base := parts[len(parts)-1]
	extensions := extensions(base)
	// natsort removes each occurrence of the extensions from the
	// base, not only the last one.
	if joined := strings.Join(extensions, ""); joined != "" {
		base = strings.ReplaceAll(base, joined, "")
	}
	parts = parts[:len(parts)-1]
	if base != "" {
		parts = append(parts, base)
	}
	return append(parts, extensions...)
}

// pathParts splits a name as Python's PurePosixPath does. It
// returns at least one part.
func pathParts(name string) []string {
	var parts []string
	if strings.HasPrefix(name, "/") {
		parts = append(parts, root(name))
	}
	for part := range strings.SplitSeq(name, "/") {
		if part != "" && part != "." {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return []string{"."}
	}
	return parts
}

// root returns the root of an absolute path. Two slashes are a
// root of their own in POSIX; more are the same as one.
func root(name string) string {
	if strings.HasPrefix(name, "//") && !strings.HasPrefix(name, "///") {
		return "//"
	}
	return "/"
}

// The extensions that natsort compares on their own: how many a
// name has, and how many characters each, with its dot.
const (
	maxExtensions      = 2
	maxExtensionLength = 5
)

// extensions returns the extensions of the last part of a path
// that are components of their own. One that begins with a digit
// does not count: it may be the end of a number.
func extensions(base string) []string {
	if strings.HasSuffix(base, ".") {
		return nil
	}
	base = strings.TrimLeft(base, ".") // leading dots begin no extension
	start := len(base)
	var found []string
	for len(found) < maxExtensions {
		dot := strings.LastIndexByte(base[:start], '.')
		if dot < 0 || !isExtension([]rune(base[dot:start])) {
			break
		}
		found = append([]string{base[dot:start]}, found...)
		start = dot
	}
	return found
}

func isExtension(text []rune) bool {
	return len(text) <= maxExtensionLength && (len(text) == 1 || !isDecimal(text[1]))
}

// fold removes the differences of case (natsort.utils:
// input_string_transform_factory).
func fold(text string) string {
	if isASCII(text) {
		return strings.ToLower(text)
	}
	return norm.NFC.String(foldCase(norm.NFD.String(text)))
}

// foldCase folds the case of a text as Python's swapcase and
// casefold do, one after the other. The first of them only
// matters for the dotless i.
func foldCase(text string) string {
	text = cases.Fold().String(text)
	return strings.Map(func(r rune) rune {
		switch {
		case r == 'ı':
			return 'i'
		// Cherokee is folded to upper case (Unicode's
		// CaseFolding.txt). Package cases folds it to lower case.
		case 'ꭰ' <= r && r <= 'ꮿ':
			return r - 'ꭰ' + 'Ꭰ'
		case 'ᏸ' <= r && r <= 'ᏽ':
			return r - 'ᏸ' + 'Ᏸ'
		}
		return r
	}, text)
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}
