package limits

import (
	"bytes"
	"fmt"
)

// form reads an answer on its way to a decoder, and counts what the
// decoder will make memory for. It need not understand the answer. It
// may count too much, but never too little.
type form interface {
	// scan reads the next bytes. It returns what is too much, or an
	// empty string.
	scan(p []byte) (excess string)
}

const (
	// maxObjects bounds the objects on a page. Clouds send 1,000 or
	// 5,000; servers that ignore the length asked for send more.
	maxObjects = 10_000
	// maxRun bounds a text without any markup: a key, a token, a value.
	// In XML the longest is metadata of 8 KiB, escaped.
	maxRun = 64 << 10

	// maxPageTags: S3 has 18 tags an object, and some servers 30. Those
	// that send longer pages than asked for have room too.
	maxPageTags = 200_000
	// maxLongPageTags: Azure has 45 to 65 tags an object, and two for
	// each entry of its metadata.
	maxLongPageTags = 600_000

	// maxPageItems bounds the JSON objects on a page. We ask for four
	// fields, none of which is an object. Servers that ignore that send
	// some more an object.
	maxPageItems = 16_000
	// maxPageValues bounds the values on a page. We ask for four fields
	// of 1,000 objects; there are about 30.
	maxPageValues = 128_000

	// maxNested and maxValues bound the description of one object.
	maxNested, maxValues = 1_000, 16_000
)

// xmlForm counts tags, and the elements that are objects or stand for
// several of them.
type xmlForm struct {
	maxTags       int
	tags, objects int
	run           int    // bytes since the last tag began
	inName        bool   // of a tag
	name          []byte // of the tag so far, without its namespace
}

func xmlOf(maxTags int) func() form {
	return func() form { return &xmlForm{maxTags: maxTags, name: make([]byte, 0, maxName)} }
}

func (x *xmlForm) scan(p []byte) string {
	for len(p) > 0 {
		if x.inName {
			p = x.scanName(p)
			continue
		}
		at := bytes.IndexByte(p, '<')
		if at < 0 {
			x.run += len(p)
			break
		}
		if x.run += at; x.run > maxRun {
			break
		}
		p = p[at+1:]
		x.run, x.inName, x.name = 0, true, x.name[:0]
		x.tags++
	}
	return x.excess()
}

// scanName reads the name of a tag, and returns what follows.
func (x *xmlForm) scanName(p []byte) []byte {
	for i, c := range p {
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '/' || c == '>' || c == '<':
			x.inName = false
			if isObject(x.name) {
				x.objects++
			}
			return p[i:]
		case c == ':': // before it is a namespace
			x.name = x.name[:0]
		case len(x.name) < maxName:
			x.name = append(x.name, c)
		}
		x.run++
	}
	return nil
}

// maxName is longer than every name that isObject knows.
const maxName = 24

// isObject reports whether a decoder makes an object of an element.
// Some decoders ignore case.
func isObject(element []byte) bool {
	switch len(element) {
	case len("Blob"), len("Version"), len("Contents"), len("BlobPrefix"),
		len("DeleteMarker"), len("CommonPrefixes"):
	default:
		return false
	}
	for _, name := range [...]string{
		"Contents", "Blob", "Version", "DeleteMarker", "CommonPrefixes", "BlobPrefix",
	} {
		if bytes.EqualFold(element, []byte(name)) {
			return true
		}
	}
	return false
}

func (x *xmlForm) excess() string {
	switch {
	case x.objects > maxObjects:
		return fmt.Sprintf("more than %d objects on a page", maxObjects)
	case x.tags > x.maxTags:
		return fmt.Sprintf("more than %d tags", x.maxTags)
	case x.run > maxRun:
		return fmt.Sprintf("a text longer than %d KiB", maxRun>>10)
	}
	return ""
}

// jsonForm counts objects and values.
type jsonForm struct {
	maxObjects, maxValues int
	objects, values       int
	run                   int  // bytes since the last mark that is not in a string
	inString, escaped     bool // where the next byte is
}

func jsonOf(maxObjects, maxValues int) func() form {
	return func() form { return &jsonForm{maxObjects: maxObjects, maxValues: maxValues} }
}

func (j *jsonForm) scan(p []byte) string {
	for _, c := range p {
		j.run++
		switch {
		case j.escaped:
			j.escaped = false
		case j.inString:
			j.escaped, j.inString = c == '\\', c != '"'
		case c == '"':
			j.inString = true
		case c == '{' || c == '[' || c == ',':
			j.values++
			j.run = 0
			if c == '{' {
				j.objects++
			}
		}
		if j.run > maxRun {
			break
		}
	}
	switch {
	case j.objects > j.maxObjects:
		return fmt.Sprintf("more than %d JSON objects", j.maxObjects)
	case j.values > j.maxValues:
		return fmt.Sprintf("more than %d values", j.maxValues)
	case j.run > maxRun:
		return fmt.Sprintf("a text longer than %d KiB", maxRun>>10)
	}
	return ""
}
