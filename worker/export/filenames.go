package export

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// isRelativePath reports whether a name is a canonical relative path.
// "../x" and "/x" are not.
func isRelativePath(name string) bool {
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// nameFiles gives every exported image a file name. Without their
// extensions the names are unique in a subset, even if case and
// Unicode composition are ignored (GEN-02, COCO-19).
//
// Images keep their own names where possible; earlier images of the
// document come first. The other names get a short hash.
func nameFiles(images []imageRecord) {
	n := namer{taken: map[string]bool{}, directories: map[string]bool{}}
	for i := range images {
		n.addDirectories(&images[i])
	}
	var rest []int
	for i := range images {
		im := &images[i]
		if im.leftOut {
			continue
		}
		if safe := safeName(im.Name); safe != im.Name || !n.take(im, safe) {
			rest = append(rest, i)
		}
	}
	for _, i := range rest {
		n.rename(&images[i])
	}
}

// namer knows the names that are used already.
type namer struct {
	taken       map[string]bool // subset and stem, folded
	directories map[string]bool // subset and directory, folded
}

func (n namer) addDirectories(im *imageRecord) {
	for dir := path.Dir(safeName(im.Name)); dir != "." && dir != "/"; dir = path.Dir(dir) {
		n.directories[fold(im.Subset+"/"+dir)] = true
	}
}

// take gives an image a name. It returns false if the name is used
// already.
func (n namer) take(im *imageRecord, name string) bool {
	stem := fold(im.Subset + "/" + strings.TrimSuffix(name, path.Ext(name)))
	if n.taken[stem] || n.directories[fold(im.Subset+"/"+name)] {
		return false
	}
	n.taken[stem] = true
	im.File = name
	return true
}

// rename gives an image its safe name, or that name with a hash.
func (n namer) rename(im *imageRecord) {
	safe := safeName(im.Name)
	if n.take(im, safe) {
		return
	}
	ext := path.Ext(safe)
	stem := strings.TrimSuffix(safe, ext)
	// A name that the document has three times needs more than one
	// try.
	for try := 0; ; try++ {
		sum := sha256.Sum256([]byte(im.Name + "\x00" + strconv.Itoa(try)))
		if n.take(im, stem+"-"+hex.EncodeToString(sum[:4])+ext) {
			return
		}
	}
}

// fold returns the same text for names that differ only in case or in
// Unicode composition.
func fold(s string) string {
	return norm.NFC.String(strings.ToLower(strings.ToUpper(norm.NFC.String(s))))
}

const maxSegment = 255 // bytes in a file name on common file systems

// safeName replaces what some file systems cannot hold: control
// characters, the characters \ : * ? " < > |, dots and spaces at the
// end of a segment, and segments that are too long.
func safeName(name string) string {
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
// rename adds.
func shorten(s string) string {
	if len(s) <= maxSegment-9 {
		return s
	}
	ext := path.Ext(s)
	if len(ext) > 16 {
		ext = ""
	}
	cut := maxSegment - 9 - len(ext)
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + ext
}
