package egress

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

const (
	maxSkew   = 5 * time.Minute // clouds refuse signatures that are 15 minutes off
	maxAnswer = 64 << 10        // bytes that are read of an answer
	maxBody   = 4 << 10         // bytes of them that are looked at; they are never shown

	codeClockSkew = "ClockSkew"
)

// answer is what a server says to somebody it does not know.
type answer struct {
	date     time.Time // zero when it does not tell
	local    time.Time // the worker's clock half way between question and answer
	wantsTLS bool      // it understood nothing because it was not asked with TLS
	err      error
}

// clock compares the times of server and worker. A server that does not
// answer is left to the bucket's own checks, which know what to make of it.
func (d *diagnosis) clock(ctx context.Context) tasks.Check {
	a := d.answer
	if a == nil {
		a = d.ask(ctx)
	}
	switch {
	case a.err != nil && timedOut(a.err):
		return fail(codeTimeout, d.hostPort()+" took the request and did not answer",
			"Check the port in the endpoint, "+d.port()+", and the load of the server: it does not answer http requests.")
	case a.err != nil:
		return tasks.Check{Status: tasks.CheckUnknown, Code: "NoAnswer", Evidence: "no http answer: " + clean(a.err.Error())}
	case a.date.IsZero():
		return tasks.Check{Status: tasks.CheckUnknown, Code: "NoDate", Evidence: "the server does not say what time it is"}
	}
	return skew(a)
}

func skew(a *answer) tasks.Check {
	off := a.local.Sub(a.date).Round(time.Second)
	if off.Abs() <= maxSkew {
		return ok("the clocks of server and worker differ by %s at most", max(off.Abs(), time.Second))
	}
	direction := "ahead"
	if off < 0 {
		direction = "behind"
	}
	return tasks.Check{
		Status: tasks.CheckWarn, Code: codeClockSkew,
		Evidence: fmt.Sprintf("the server says it is %s, the worker %s: the worker is %s %s", stamp(a.date), stamp(a.local), off.Abs(), direction),
		Fix:      "Set the worker's clock and keep it right with NTP: requests that are signed with a wrong time are refused. If its clock is right, the server's is wrong.",
	}
}

// ask sends a request on the open connection. A server that wants TLS says so
// in the body of its 400, as a rule; the answer to a HEAD would have none.
func (d *diagnosis) ask(ctx context.Context) *answer {
	method := http.MethodHead
	if d.plain() {
		method = http.MethodGet
	}
	req, err := d.request(ctx, method)
	if err != nil {
		return &answer{err: err}
	}
	release := context.AfterFunc(ctx, func() { _ = d.conn.SetDeadline(time.Unix(1, 0)) })
	defer release()
	start := time.Now()
	if err := req.Write(d.conn); err != nil {
		return &answer{err: err}
	}
	in := bufio.NewReader(io.LimitReader(d.conn, maxAnswer))
	if first, err := in.Peek(1); err == nil && first[0] == tlsAlert {
		return &answer{wantsTLS: true}
	}
	resp, err := http.ReadResponse(in, req)
	if err != nil {
		return &answer{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	a := &answer{local: start.Add(time.Since(start) / 2)}
	a.date, _ = http.ParseTime(resp.Header.Get("Date")) // zero when there is none
	if d.plain() && resp.StatusCode == http.StatusBadRequest {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxBody))
		body = bytes.ToLower(body)
		a.wantsTLS = bytes.Contains(body, []byte("https")) || bytes.Contains(body, []byte("ssl"))
	}
	return a
}

// tlsAlert is the first byte of a TLS record that carries an alert (RFC 8446,
// section 5.1).
const tlsAlert = 0x15
