package hostile

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/hostile/tongue"
)

// json reports whether the answer is JSON, and not XML.
func (x exchange) json(a tongue.Answer) bool {
	return a.Header["Content-Type"] == "application/json"
}

// body answers with another body.
func (x exchange) body(asXML, asJSON string) {
	a := x.right()
	a.Head, a.Items, a.Tail = asXML, nil, ""
	if x.json(a) {
		a.Head = asJSON
	}
	x.send(a)
}

func null(x exchange) { x.body("", "null") }

func hollow(x exchange) {
	a := x.right()
	a.Items = nil
	if x.json(a) && a.Head == "" {
		a.Head = "{}"
	}
	x.send(a)
}

// nullItems puts nothing in the place of each item.
func nullItems(x exchange) {
	a := x.right()
	nothing := x.Nothing(true)
	for i := range a.Items {
		a.Items[i] = nothing
		if i == 0 {
			a.Items[i] = strings.TrimPrefix(nothing, ",")
		}
	}
	x.send(a)
}

// noHeaders removes the headers of the API.
func noHeaders(x exchange) {
	a := x.right()
	a.Header = map[string]string{}
	x.send(a)
}

const depth = 1_000_000

func nested(x exchange) {
	x.body(strings.Repeat("<a>", depth), `{"items":`+strings.Repeat("[", depth))
}

func attributes(x exchange) {
	var asXML, asJSON strings.Builder
	asXML.WriteString("<ListBucketResult ")
	asJSON.WriteString(`{"kind":"storage#objects"`)
	for i := range many {
		fmt.Fprintf(&asXML, `a%d="" `, i)
		fmt.Fprintf(&asJSON, `,"a%d":""`, i)
	}
	x.body(asXML.String()+"/>", asJSON.String()+"}")
}

// entities answers with the XML in which each entity is ten of the one
// before. JSON has no such thing: a string of escapes is sent.
func entities(x exchange) {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "ha">`)
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&b, `<!ENTITY e%d "%s">`, i, strings.Repeat(fmt.Sprintf("&e%d;", i-1), 10))
	}
	b.WriteString(`]><ListBucketResult><Name>&e29;</Name></ListBucketResult>`)
	x.body(b.String(), `{"kind":"storage#objects","items":[{"name":"`+strings.Repeat(`\ud800`, many)+`"}]}`)
}

func webPage(x exchange) {
	const page = "<!DOCTYPE html><html><head><title>Sign in</title></head><body></body></html>"
	_ = x.right()
	header := map[string]string{"Content-Type": "text/html"}
	x.send(tongue.Answer{Status: http.StatusOK, Header: header, Head: page})
}

func redirect(x exchange) {
	a := x.right()
	a.Status, a.Header["Location"] = http.StatusTemporaryRedirect, "http://"+x.r.Host+x.r.RequestURI
	x.send(a)
}

func elsewhere(x exchange) {
	a := x.right()
	a.Status, a.Header["Location"] = http.StatusTemporaryRedirect, "http://169.254.169.254/latest/"
	if x.call.Op == tongue.Start { // where the parts of an upload go
		a.Status = http.StatusOK
	}
	x.send(a)
}

func otherRegion(x exchange) {
	_ = x.right()
	a := x.Refusal(x.call, http.StatusMovedPermanently, "elsewhere")
	a.Header["X-Amz-Bucket-Region"] = fmt.Sprint("eu-west-", x.count())
	x.send(a)
}

func upgrade(x exchange) {
	_ = x.right()
	x.rawStream("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
		func(int) string { return strings.Repeat("x", kilobyte) })
}

func oddStatus(x exchange) {
	a := x.right()
	a.Status = 999
	x.raw(head(a, strconv.Itoa(len(a.Body()))) + a.Body())
}

func encoding(x exchange) {
	x.body(`<?xml version="1.0" encoding="ebcdic"?><ListBucketResult/>`, "\xff\xfe{\x00}\x00")
}

func numbers(x exchange) {
	digits := strings.Repeat("9", depth)
	x.body("<ListBucketResult><Name>b</Name><MaxKeys>"+digits+"</MaxKeys></ListBucketResult>",
		`{"kind":"storage#objects","items":[{"name":"a","size":`+digits+`,"generation":1e`+digits+`}]}`)
}

func wait(x exchange) {
	_ = x.right()
	a := x.Refusal(x.call, http.StatusServiceUnavailable, "wait")
	a.Header["Retry-After"] = "31536000"
	a.Header["Retry-After-Ms"], a.Header["X-Ms-Retry-After-Ms"] = "31536000000", "31536000000"
	x.send(a)
}

func changed(x exchange) {
	_ = x.right()
	x.send(x.Refusal(x.call, http.StatusPreconditionFailed, "it has changed"))
}

// noProgress answers each part of an upload as one of which nothing
// was taken.
func noProgress(x exchange) {
	_ = x.right()
	a := x.Stored(tongue.Call{Op: tongue.Part}, 0)
	delete(a.Header, "Range")
	delete(a.Header, "ETag")
	x.send(a)
}

// otherVersion answers with a version that is new at each request.
func otherVersion(x exchange) {
	a := x.right()
	n := x.count()
	for name, value := range map[string]string{"ETag": `"e%d"`, "X-Goog-Generation": "17%d"} {
		if a.Header[name] != "" {
			a.Header[name] = fmt.Sprintf(value, n)
		}
	}
	for i, item := range a.Items {
		if x.call.Op != tongue.Get {
			a.Items[i] = strings.ReplaceAll(item, "1767323045000000", fmt.Sprint("17", n))
		}
	}
	x.send(a)
}

func otherRange(x exchange) {
	a := x.right()
	a.Header["Content-Range"] = "bytes 100-199/1000"
	a.Status = http.StatusPartialContent
	x.send(a)
}
