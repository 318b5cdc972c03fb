package hostile

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/hostile/tongue"
)

const kilobyte = 1 << 10

func honest(x exchange) { x.send(x.right()) }

// endless repeats the last item of the right answer.
func endless(x exchange) {
	a := x.right()
	last := " "
	if n := len(a.Items); n > 0 {
		last = a.Items[n-1]
	}
	x.stream(a, last)
}

// stream sends an answer without its end, and then a text for ever.
func (x exchange) stream(a tongue.Answer, text string) {
	delete(a.Header, "Content-Length")
	x.begin(a)
	a.Tail = ""
	first := a.Body()
	x.repeat(func(i int) string {
		if i == 0 {
			return first
		}
		return text
	})
}

func endlessSpaces(x exchange) {
	a := x.right()
	a.Head += strings.Join(a.Items, "") + a.Tail
	a.Items = nil
	x.stream(a, strings.Repeat(" ", kilobyte))
}

func endlessRefusal(x exchange) { x.endlessMessage(http.StatusForbidden) }

func endlessFailure(x exchange) { x.endlessMessage(http.StatusInternalServerError) }

func (x exchange) endlessMessage(status int) {
	a := x.Refusal(x.call, status, "no ")
	x.stream(a, strings.Repeat("no ", kilobyte))
}

// endlessHeader sends header lines for ever.
func endlessHeader(x exchange) {
	x.rawStream("HTTP/1.1 200 OK\r\n", func(i int) string {
		return fmt.Sprintf("X-Line-%d: %s\r\n", i, strings.Repeat("x", 16*kilobyte))
	})
}

func endlessInterim(x exchange) {
	x.rawStream("", func(int) string { return "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" })
}

// rawStream sends bytes for ever in place of an answer.
func (x exchange) rawStream(first string, piece func(i int) string) {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(first)); err != nil {
		return
	}
	for i := 0; ; i++ {
		if _, err := conn.Write([]byte(piece(i))); err != nil {
			return
		}
	}
}

func slow(x exchange) {
	a := x.right()
	x.begin(a)
	trickle(x.r.Context(), flusher{x.w}, a.Body())
}

func slowRefusal(x exchange) {
	a := x.Refusal(x.call, http.StatusForbidden, "no")
	x.begin(a)
	trickle(x.r.Context(), flusher{x.w}, a.Body())
}

// drip is above any limit of idle time, and below any useful rate.
func drip(x exchange) {
	a := x.right()
	x.begin(a)
	x.paced(a.Body()+strings.Repeat(" ", kilobyte), 1, 100*time.Millisecond)
}

func endlessDrip(x exchange) {
	a := x.right()
	delete(a.Header, "Content-Length")
	x.begin(a)
	text := a.Head + strings.Join(a.Items, "")
	for x.r.Context().Err() == nil {
		text += strings.Repeat(" ", max(0, 10_000-len(text)))
		x.paced(text, 10_000, 100*time.Millisecond)
		text = ""
	}
}

// chunked sends the header of an answer whose body comes in chunks.
func (x exchange) chunked(piece func(i int) string) {
	a := x.right()
	head, _, _ := strings.Cut(head(a, ""), "Content-Length")
	first := head + "Transfer-Encoding: chunked\r\n\r\n"
	if body := a.Body(); body != "" {
		first += fmt.Sprintf("%x\r\n%s\r\n", len(body), body)
	}
	x.rawStream(first, piece)
}

func tinyChunks(x exchange) {
	x.chunked(func(int) string { return strings.Repeat("1\r\n \r\n", kilobyte) })
}

func chunkExtensions(x exchange) {
	x.chunked(func(int) string { return "1;" + strings.Repeat("x", kilobyte) + "\r\n \r\n" })
}

func endlessTrailer(x exchange) {
	x.chunked(func(i int) string {
		if i == 0 {
			return "0\r\n"
		}
		return "X-Trailer: " + strings.Repeat("x", kilobyte) + "\r\n"
	})
}

func slowHeader(x exchange) {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	trickle(x.r.Context(), conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Line: slow\r\n\r\n")
}

func silent(x exchange) {
	_ = x.right() // reads the request
	<-x.r.Context().Done()
}

// deaf waits for a fixed time, because net/http notices that a client
// has gone only when its request has been read.
func deaf(exchange) { <-time.After(time.Minute) }
