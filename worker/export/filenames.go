package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/stevedore-jobs/stevedore/worker/steps"
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
func nameFiles(ctx context.Context, d *dataset) error {
	n := namer{
		directories: &d.directories,
		taken:       make(map[nameSum]struct{}, len(d.images)), tries: map[nameSum]int{},
	}
	var work steps.Counter
	var rest []*imageRecord
	for im := range d.exported() {
		if err := work.Add(ctx, nameWork*len(im.Name)); err != nil {
			return err
		}
		if safe := safeName(im.Name); safe != im.Name || !n.take(im, im.Name) {
			rest = append(rest, im)
		}
	}
	for _, im := range rest {
		if err := work.Add(ctx, nameWork*len(im.Name)); err != nil {
			return err
		}
		n.rename(im)
	}
	return nil
}

// nameWork is how many steps a byte of a name takes.
const nameWork = 32

// nameSum stands for a name. It takes less memory than the name.
type nameSum [16]byte

func sumName(name string) nameSum {
	sum := sha256.Sum256([]byte(name))
	return nameSum(sum[:16])
}

// namer knows the names that are used already.
type namer struct {
	directories *directories
	taken       map[nameSum]struct{} // subset and stem, folded
	tries       map[nameSum]int      // of names that were not free, by subset and name
}

// take gives an image a name. It returns false if the name is used
// already.
func (n namer) take(im *imageRecord, name string) bool {
	stem := sumName(fold(im.Subset + "/" + strings.TrimSuffix(name, path.Ext(name))))
	if _, taken := n.taken[stem]; taken || n.directories.has(im.Subset, name) {
		return false
	}
	n.taken[stem] = struct{}{}
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
	// A name that the document has three times needs more than one try.
	// The tries of those before it would fail again.
	try := sumName(im.Subset + "/" + im.Name)
	for ; ; n.tries[try]++ {
		sum := sha256.Sum256([]byte(im.Name + "\x00" + strconv.Itoa(n.tries[try])))
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
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + ext
}
