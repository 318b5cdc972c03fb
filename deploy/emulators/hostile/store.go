package hostile

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/hostile/tongue"
	"github.com/stevedore-jobs/stevedore/deploy/emulators/order"
)

// store is what every bucket holds: a few images, annotations of them,
// and one image of many bytes with annotations of its own. Nothing can
// be added: an upload is answered, and forgotten.
type store struct {
	keys    []string // in the order of bytes
	content map[string][]byte
}

// The keys that are not below images/.
const (
	bigImage    = "big/0.jpg"
	bigDocument = "big.xml"
	document    = "annotations.xml"
)

// bigSize is the size of the large image in bytes: an export that
// includes it needs an upload in parts.
const bigSize = 10 << 20

func newStore() *store {
	s := &store{content: map[string][]byte{}}
	big := picture(0)
	random := rand.NewChaCha8([32]byte{})
	tail := make([]byte, bigSize-len(big))
	_, _ = random.Read(tail)
	s.add(document, []byte{}) // here for its place in the order
	s.add(bigDocument, annotations(bigImage))
	s.add(bigImage, append(big, tail...))
	var images []string
	for i := range 5 {
		key := "images/" + strconv.Itoa(i) + ".jpg"
		images = append(images, key)
		s.add(key, picture(i))
	}
	s.content[document] = annotations(images...)
	return s
}

func (s *store) add(key string, content []byte) {
	s.keys = append(s.keys, key)
	s.content[key] = content
}

// answer makes the right answer, with the wrong content of objects.
func (s *store) answer(x exchange, wrong replacement) tongue.Answer {
	content := func(key string) []byte {
		if s.content[key] != nil && wrong.replaces(key) {
			return wrong.content()
		}
		return s.content[key]
	}
	n, _ := io.Copy(io.Discard, x.r.Body)
	switch x.call.Op {
	case tongue.List:
		return x.Page(x.call, s.list(x.call, content), "")
	case tongue.Stat, tongue.Get:
		if data := content(x.call.Key); data != nil {
			return x.Object(x.call, data)
		}
		return x.Refusal(x.call, http.StatusNotFound, "no such object")
	case tongue.Other:
		return x.Refusal(x.call, http.StatusForbidden, "not allowed")
	}
	return x.Stored(x.call, n)
}

// list returns the objects of a listing. It may begin with the key
// after which it is to begin: clients must bear that.
func (s *store) list(c tongue.Call, content func(key string) []byte) []tongue.Object {
	var entries []order.Entry
	for _, key := range s.keys {
		entries = append(entries, order.Entry{Key: key, Text: strconv.Itoa(len(content(key)))})
	}
	span := order.Range{Prefix: c.Prefix, From: c.After}
	var objects []tongue.Object
	for _, e := range order.Compare(strings.Compare).Select(entries, span).Entries {
		objects = append(objects, object(e.Key, e.Text))
	}
	return objects
}

func object(key, size string) tongue.Object {
	return tongue.Object{Key: key, Size: size, ETag: "5d41402abc4b2a76b9719d911017c592"}
}

func picture(i int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for x := range 64 {
		img.Set(x, i, color.RGBA{uint8(i), 0, uint8(x), 255})
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, nil)
	return b.Bytes()
}

// annotations returns a box on each image, in the form of CVAT for
// images 1.1.
func annotations(images ...string) []byte {
	var b bytes.Buffer
	b.WriteString(documentHead)
	for i, key := range images {
		fmt.Fprintf(&b, imageHead, i, key)
		b.WriteString(box + "</image>")
	}
	b.WriteString(documentTail)
	return b.Bytes()
}

const (
	documentHead = `<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version>` +
		`<meta><task><labels><label><name>car</name></label></labels></task></meta>`
	documentTail = `</annotations>`
	imageHead    = `<image id="%d" name="%s" width="64" height="48">`
	box          = `<box label="car" occluded="0" xtl="1" ytl="1" xbr="5" ybr="5" z_order="0"></box>`
)
