// Package naming gives the images of a data set file names that every
// file system can hold, and that are unique in a subset (GEN-02,
// COCO-19). Case and Unicode composition are ignored, and so are
// extensions.
//
// Names come from strangers: the time and the memory for a name grow
// with its length, and not with the number of names like it.
package naming

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// IsRelativePath reports whether a name is a canonical relative path.
// "../x" and "/x" are not.
func IsRelativePath(name string) bool {
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// nameSum stands for a name. It takes less memory than the name.
type nameSum [16]byte

func sumName(name string) nameSum {
	sum := sha256.Sum256([]byte(name))
	return nameSum(sum[:16])
}

// Namer knows the names that are used already. Make one with New.
type Namer struct {
	directories *Directories
	taken       map[nameSum]struct{} // subset and stem, folded
	tries       map[nameSum]int      // of names that were not free, by subset and name
}

// New makes a Namer for about n images that are in directories.
func New(directories *Directories, n int) *Namer {
	return &Namer{directories, make(map[nameSum]struct{}, n), map[nameSum]int{}}
}

// Take takes a name in a subset. It returns false if the name is used
// already.
func (n *Namer) Take(subset, name string) bool {
	stem := sumName(Fold(subset + "/" + strings.TrimSuffix(name, path.Ext(name))))
	if _, taken := n.taken[stem]; taken || n.directories.Has(subset, name) {
		return false
	}
	n.taken[stem] = struct{}{}
	return true
}

// Rename takes the safe name for an image's own name, or that name with
// a short hash.
func (n *Namer) Rename(subset, own string) string {
	safe := Safe(own)
	if n.Take(subset, safe) {
		return safe
	}
	ext := path.Ext(safe)
	stem := strings.TrimSuffix(safe, ext)
	// A name that the document has three times needs more than one try.
	// The tries of those before it would fail again.
	try := sumName(subset + "/" + own)
	for ; ; n.tries[try]++ {
		sum := sha256.Sum256([]byte(own + "\x00" + strconv.Itoa(n.tries[try])))
		name := stem + "-" + hex.EncodeToString(sum[:4]) + ext
		if n.Take(subset, name) {
			return name
		}
	}
}

// Fold returns the same text for names that differ only in case or in
// Unicode composition.
func Fold(s string) string {
	return norm.NFC.String(strings.ToLower(strings.ToUpper(norm.NFC.String(s))))
}

const maxSegment = 255 // bytes in a file name on common file systems

// Safe replaces what some file systems cannot hold: control
// characters, the characters \ : * ? " < > |, dots and spaces at the
// end of a segment, and segments that are too long.
func Safe(name string) string {
	segments := strings.Split(name, "/")
	for i, s := range segments {
		s = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f || strings.ContainsRune(`\:*?"<>|`, r) {
				return '_'
			}
			return r
		}, s)
		if s = strings.TrimRight(s, " ."); s == "" {
			s = "_"
		}
		segments[i] = shorten(s)
	}
	return strings.Join(segments, "/")
}

// shorten cuts a segment so that there is room for the hash that
// Rename adds.
func shorten(s string) string {
	if len(s) <= maxSegment-9 {
		return s
	}
	ext := path.Ext(s)
	if len(ext) > 16 {
		ext = ""
	}
	cut := maxSegment - 9 - len(ext)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + ext
}
