package export

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// exportable reports whether a name can be kept apart from others as a
// relative path; "../x" and "/x" cannot.
func exportable(name string) bool {
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// nameFiles gives every exported image a file name that is unique in its
// subset by its path without extension, however letters are cased and
// composed (GEN-02, COCO-19). Images keep their names where they can, the
// first in the document before later ones; the others get a short hash of
// their name.
func nameFiles(images []entry) {
	n := namer{taken: map[string]bool{}, directories: map[string]bool{}}
	for i := range images {
		n.addDirectories(&images[i])
	}
	var rest []int
	for i := range images {
		im := &images[i]
		if im.out {
			continue
		}
		if safe := safeName(im.name); safe != im.name || !n.take(im, safe) {
			rest = append(rest, i)
		}
	}
	for _, i := range rest {
		n.rename(&images[i])
	}
}

type namer struct {
	taken       map[string]bool // subset and stem, folded
	directories map[string]bool // subset and directory, folded
}

func (n namer) addDirectories(im *entry) {
	for dir := path.Dir(safeName(im.name)); dir != "." && dir != "/"; dir = path.Dir(dir) {
		n.directories[fold(im.subset+"/"+dir)] = true
	}
}

func (n namer) take(im *entry, name string) bool {
	stem := fold(im.subset + "/" + strings.TrimSuffix(name, path.Ext(name)))
	if n.taken[stem] || n.directories[fold(im.subset+"/"+name)] {
		return false
	}
	n.taken[stem] = true
	im.file = name
	return true
}

func (n namer) rename(im *entry) {
	safe := safeName(im.name)
	if n.take(im, safe) {
		return
	}
	ext := path.Ext(safe)
	stem := strings.TrimSuffix(safe, ext)
	for again := 0; ; again++ { // more than once when the document has the same name more than twice
		sum := sha256.Sum256([]byte(im.name + "\x00" + strconv.Itoa(again)))
		if n.take(im, stem+"-"+hex.EncodeToString(sum[:4])+ext) {
			return
		}
	}
}

func fold(s string) string {
	return norm.NFC.String(strings.ToLower(strings.ToUpper(norm.NFC.String(s))))
}

const maxSegment = 255 // bytes in a file name on common file systems

// safeName replaces what some file system cannot hold: control characters, \
// : * ? " < > |, dots and spaces at the end of a segment, and segments that
// are too long.
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

// shorten leaves room for the hash that rename may add.
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

// writeNames writes names.jsonl: a line for each image whose file is not
// named as the image is in the annotations.
func (x *exporter) writeNames(w io.Writer) error {
	var b []byte
	for i := range x.images {
		im := &x.images[i]
		if im.out || im.file == im.name {
			continue
		}
		b = appendText(append(b[:0], `{"key":`...), x.key(im))
		b = appendText(append(b, `,"subset":`...), im.subset)
		b = appendText(append(b, `,"file_name":`...), im.file)
		if _, err := w.Write(append(b, "}\n"...)); err != nil {
			return err
		}
	}
	return nil
}

func (x *exporter) renamed() bool {
	for i := range x.images {
		if im := &x.images[i]; !im.out && im.file != im.name {
			return true
		}
	}
	return false
}
