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

// engine is the version of the code that makes the pixels. A new
// version makes all thumbnails anew, under new names.
const engine = "1"

const (
	maxName    = 1024 // bytes: the limit of S3 and GCS for a key
	shortHash  = 12   // hex digits in a usual name
	longHash   = 32   // hex digits in a shortened name, whose hash covers the key too
	sizeEnding = len(".2048x2048.jpg")
)

// maker names and makes thumbnails of one specification.
type maker struct {
	dir           string
	size, quality int

	// decode replaces raster.Decode in tests.
	decode func(imagehead.Type, []byte) (image.Image, error)
}

func newMaker(j tasks.GenerateThumbnails) maker {
	_, dir := j.Target()
	size, quality := j.Spec()
	return maker{dir: dir, size: size, quality: quality}
}

// stem returns the name of an image's thumbnail without its size:
// <dir><key>.<hash>. The hash covers the image's version, the
// specification and the engine. The full name is
// <stem>.<width>x<height>.jpg. So a listing shows the size of an
// existing thumbnail, which only the image itself could show
// otherwise.
//
// If a name could be longer than 1024 bytes, its key is cut short and
// a longer hash covers the key too. In a listing it comes at, or
// near, the place of the whole name.
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

// parseName splits the full name of a thumbnail. It returns false for
// any other name.
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
