package hostile

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/hostile/tongue"
)

const pageSize = 1000 // objects

// position is where a listing without end goes on. Its keys begin with
// the stem, and have a number.
type position struct {
	number int
	stem   string
}

// position reads the token of a page, or else where the listing is to
// begin.
func (x exchange) position() position {
	number, stem, ok := strings.Cut(x.call.Token, "-")
	if text, err := hex.DecodeString(stem); ok && err == nil {
		n, _ := strconv.Atoi(number)
		return position{n, string(text)}
	}
	if strings.HasPrefix(x.call.After, x.call.Prefix) {
		return position{0, x.call.After}
	}
	return position{0, x.call.Prefix}
}

// next returns the token for the page that begins n keys later.
func (p position) next(n int) string {
	return strconv.Itoa(p.number+n) + "-" + hex.EncodeToString([]byte(p.stem))
}

// key returns a key of at least length bytes.
func (p position) key(i, length int) string {
	key := fmt.Sprintf("%s%09d", p.stem, p.number+i)
	return key + strings.Repeat("x", max(0, length-len(key)-len(".jpg"))) + ".jpg"
}

// pages answers with the next of pages without end. object returns an
// object of the page.
func (x exchange) pages(objects int, object func(p position, i int) tongue.Object) {
	p := x.position()
	page := make([]tongue.Object, objects)
	for i := range page {
		page[i] = object(p, i)
	}
	x.send(x.Page(x.call, page, p.next(max(1, objects))))
}

func endlessPages(x exchange) { x.pages(pageSize, keyOf(0)) }

func longKeys(x exchange) { x.pages(20, keyOf(300_000)) }

func limitKeys(x exchange) { x.pages(pageSize, keyOf(1024)) }

func deepKeys(x exchange) {
	x.pages(pageSize, func(p position, i int) tongue.Object {
		p.stem += strings.Repeat("d/", 500)
		return object(p.key(i, 0), "600")
	})
}

func longETags(x exchange) {
	x.pages(20, func(p position, i int) tongue.Object {
		return tongue.Object{Key: p.key(i, 0), Size: "600", ETag: strings.Repeat("e", 300_000)}
	})
}

func longToken(x exchange) {
	x.send(x.Page(x.call, nil, strconv.Itoa(x.position().number)+strings.Repeat("t", 5<<20)))
}

func emptyPages(x exchange) { x.pages(0, nil) }

// keyOf returns objects whose keys have at least length bytes.
func keyOf(length int) func(position, int) tongue.Object {
	return func(p position, i int) tongue.Object { return object(p.key(i, length), "600") }
}

func endlessObjects(x exchange) {
	p := x.position()
	a := x.Page(x.call, []tongue.Object{object(p.key(0, 0), "600")}, "")
	x.begin(a)
	x.repeat(func(i int) string {
		if i == 0 {
			return a.Head + a.Items[0]
		}
		items := x.Page(x.call, []tongue.Object{{}, object(p.key(i, 0), "600")}, "").Items
		return items[1]
	})
}

func endlessNothing(x exchange) {
	x.stream(x.right(), strings.Repeat(x.Nothing(false), kilobyte))
}

func endlessKey(x exchange) {
	const mark = "KEY"
	a := x.Page(x.call, []tongue.Object{object(x.position().stem+mark, "1")}, "")
	first, _, _ := strings.Cut(a.Items[0], mark)
	a.Items = []string{first}
	x.stream(a, strings.Repeat("k", kilobyte))
}

func sameToken(x exchange) { x.send(x.Page(x.call, nil, "again")) }

func samePage(x exchange) {
	a := x.right()
	a.Tail = x.Page(x.call, nil, x.position().next(1)).Tail
	a.Head = x.Page(x.call, nil, x.position().next(1)).Head // where JSON has the token
	x.send(a)
}

func sameKey(x exchange) {
	objects := make([]tongue.Object, many)
	for i := range objects {
		objects[i] = object(x.position().key(0, 0), "600")
	}
	x.send(x.Page(x.call, objects, ""))
}

func fallingKeys(x exchange) {
	x.pages(pageSize, func(p position, i int) tongue.Object {
		return object(position{stem: p.stem}.key(pageSize-i, 0), "600")
	})
}

func foreignKeys(x exchange) {
	x.pages(pageSize, func(p position, i int) tongue.Object {
		return object("elsewhere/"+position{p.number, ""}.key(i, 0), "600")
	})
}

func oddKeys(x exchange) {
	var objects []tongue.Object
	names := []string{
		"\x01", "\u202e", "..", "../../x", "//", "\n\n", " ", "%00", "a\\b", "&lt;", "\ufffd",
	}
	for i, name := range names {
		objects = append(objects, object(x.position().stem+strconv.Itoa(i)+name+".jpg", "600"))
	}
	x.send(x.Page(x.call, objects, ""))
}

// sizes gives all objects a size.
func sizes(size string) func(exchange) {
	return func(x exchange) {
		var objects []tongue.Object
		for i := range 5 {
			objects = append(objects, object("images/"+strconv.Itoa(i)+".jpg", size))
		}
		x.send(x.Page(x.call, objects, ""))
	}
}
