package thumbnail

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
)

// engine is the version of what makes the pixels. A new one makes all
// thumbnails anew, under new names.
const engine = "1"

const (
	maxName    = 1024 // bytes: the limit of S3 and GCS for a key
	shortHash  = 12   // hex digits in a usual name
	longHash   = 32   // hex digits in a shortened name, which must also tell the key
	sizeEnding = len(".2048x2048.jpg")
)

// maker names and makes thumbnails of one specification.
type maker struct {
	dir           string
	size, quality int
	decode        func([]byte, imagehead.Head) (image.Image, error) // nil means the standard library's decoders
}

func newMaker(j tasks.GenerateThumbnails) maker {
	_, dir := j.Target()
	size, quality := j.Spec()
	return maker{dir: dir, size: size, quality: quality}
}

// stem is the name of an image's thumbnail up to its size: <dir><key>.<hash>,
// where the hash tells the version of the image, the specification and the
// engine. The full name is <stem>.<width>x<height>.jpg, so that a listing
// tells the size of a thumbnail that was made before, though nobody can know
// it before the image is read.
//
// A name that would grow longer than 1024 bytes is cut within the key, and
// gets a longer hash that tells the key too. It keeps its place in the order
// of the listing, or nearly.
func (m maker) stem(key, etag string) string {
	sum := func(parts ...string) string {
		digest := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
		return hex.EncodeToString(digest[:])
	}
	version := []string{engine, etag, strconv.Itoa(m.size), strconv.Itoa(m.quality)}
	if len(m.dir)+len(key)+1+shortHash+sizeEnding <= maxName {
		return m.dir + key + "." + sum(version...)[:shortHash]
	}
	cut := max(0, maxName-sizeEnding-longHash-1-len(m.dir))
	for cut > 0 && !utf8.RuneStart(key[cut]) {
		cut--
	}
	return m.dir + key[:cut] + "." + sum(append(version, key)...)[:longHash]
}

func fullName(stem string, width, height int) string {
	return fmt.Sprintf("%s.%dx%d.jpg", stem, width, height)
}

// parseName takes a thumbnail's name apart; of any other name it reports
// false.
func parseName(name string) (stem string, width, height int, ok bool) {
	rest, ok := strings.CutSuffix(name, ".jpg")
	dot := strings.LastIndexByte(rest, '.')
	if !ok || dot < 0 {
		return "", 0, 0, false
	}
	w, h, _ := strings.Cut(rest[dot+1:], "x")
	width, err := strconv.Atoi(w)
	if err != nil {
		return "", 0, 0, false
	}
	height, err = strconv.Atoi(h)
	if err != nil || fullName(rest[:dot], width, height) != name || width < 1 || height < 1 {
		return "", 0, 0, false
	}
	return rest[:dot], width, height, true
}
