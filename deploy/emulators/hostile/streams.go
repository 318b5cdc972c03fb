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
		return fmt.Sprintf("X-Line-%d: %s\r\n", i, strings.Repeat("x", kilobyte))
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
		if _, err := conn.Write([]byte(strings.Repeat(piece(i), 16))); err != nil {
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
