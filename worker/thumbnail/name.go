package thumbnail

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// engine is the version of the code that makes the pixels. A new
// version makes all thumbnails anew, under new names.
const engine = "1"

const (
	maxName    = 1024 // bytes: the limit of S3 and GCS for a key
	maxSegment = 255  // bytes between two slashes: the limit of stores that keep files
	shortHash  = 12   // hex digits in a usual name
	longHash   = 32   // hex digits in a shortened name, whose hash covers the key too
	sizeEnding = len(".2048x2048.jpg")
)

// maker names and makes thumbnails of one specification.
type maker struct {
	dir           string
	size, quality int

	// decode replaces raster.Decode in tests.
	decode func(head.Type, io.Reader) (image.Image, error)
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
// If a name could be longer than 1024 bytes, or have more than 255
// between two slashes, its key is shortened and a longer hash covers
// the key too. In a listing it comes at, or near, the place of the
// whole name.
func (m maker) stem(key, etag string) string {
	sum := func(parts ...string) string {
		digest := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
		return hex.EncodeToString(digest[:])
	}
	version := []string{engine, etag, strconv.Itoa(m.size), strconv.Itoa(m.quality)}
	if short := m.shorten(key, 1+shortHash+sizeEnding); short == key {
		return m.dir + key + "." + sum(version...)[:shortHash]
	}
	short := m.shorten(key, 1+longHash+sizeEnding)
	return m.dir + short + "." + sum(append(version, key)...)[:longHash]
}

// shorten shortens a key so that a name with an ending of so many
// bytes keeps to the limits. Each directory loses what is too long at
// its end. It returns the key itself if that is short enough.
func (m maker) shorten(key string, ending int) string {
	dirs, last := "", key
	for {
		dir, rest, found := strings.Cut(last, "/")
		if !found {
			break
		}
		dirs += cut(dir, maxSegment) + "/"
		last = rest
	}
	short := dirs + cut(last, maxSegment-ending)
	if most := maxName - len(m.dir) - ending; len(short) > most {
		short = cut(short, max(0, most))
		at := strings.LastIndexByte(short, '/') + 1
		short = short[:at] + cut(short[at:], maxSegment-ending)
	}
	return short
}

// cut returns the first n bytes of s, or fewer so that no character is
// split.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
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
