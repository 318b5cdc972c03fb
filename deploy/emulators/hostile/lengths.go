package hostile

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/hostile/tongue"
)

// head returns status line and header of an answer, with a length.
func head(a tongue.Answer, length string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", a.Status, http.StatusText(a.Status))
	for name, value := range a.Header {
		if name != "Content-Length" {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	fmt.Fprintf(&b, "Content-Length: %s\r\n\r\n", length)
	return b.String()
}

func tooLong(x exchange) {
	a := x.right()
	body := a.Body()
	x.raw(head(a, strconv.Itoa(len(body))) + body + strings.Repeat("more ", kilobyte))
}

func tooShort(x exchange) {
	a := x.right()
	body := a.Body()
	x.raw(head(a, strconv.Itoa(len(body)+kilobyte)) + body)
}

func hugeLength(x exchange) {
	a := x.right()
	delete(a.Header, "Content-Range")
	x.rawStream(head(a, "9223372036854775807"), func(int) string {
		return strings.Repeat("x", 16*kilobyte)
	})
}

func negativeLength(x exchange) {
	a := x.right()
	x.raw(head(a, "-1") + a.Body())
}

func twoLengths(x exchange) {
	a := x.right()
	body := a.Body()
	x.raw(head(a, strconv.Itoa(len(body))+"\r\nContent-Length: 1") + body)
}

func reset(x exchange) {
	a := x.right()
	body := a.Body()
	x.raw(head(a, strconv.Itoa(len(body)+1)) + body[:len(body)/2])
}

func halfHeader(x exchange) {
	_ = x.right()
	x.raw("HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Le")
}

func noHTTP(x exchange) {
	_ = x.right()
	x.raw("220 mail.example ESMTP\r\n" + strings.Repeat("x", kilobyte) + "\r\n")
}

func hugeHeaders(x exchange) {
	a := x.right()
	for i := range 200 {
		a.Header[fmt.Sprintf("X-Line-%d", i)] = strings.Repeat("x", kilobyte)
	}
	x.send(a)
}

// bomb is 10 MB of spaces, compressed.
var bomb = sync.OnceValue(func() string {
	var b strings.Builder
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = io.WriteString(z, strings.Repeat(" ", 10<<20))
	_ = z.Close()
	return b.String()
})

// compressed sends a body of a thousand compressed streams, which
// readers take as one.
func compressed(x exchange) {
	a := x.right()
	delete(a.Header, "Content-Length")
	a.Header["Content-Encoding"] = "gzip"
	x.begin(a)
	for range 1000 {
		if _, err := io.WriteString(x.w, bomb()); err != nil {
			return
		}
	}
}
