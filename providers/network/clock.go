package network

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const (
	maxSkew   = 5 * time.Minute // clouds refuse signatures that are 15 minutes off
	maxAnswer = 64 << 10        // bytes of an answer that are read
	maxBody   = 4 << 10         // bytes of its body that are read; they are never shown

	codeClockSkew = "ClockSkew"
)

// answer is the server's reply to a request without credentials.
type answer struct {
	date     time.Time // the server's clock; zero if it sent none
	local    time.Time // the worker's clock halfway between request and reply
	wantsTLS bool      // the server refused the request because it was not TLS
	err      error
}

// clock compares the clocks of server and worker. If the server does
// not answer, the check is unknown: the bucket's own checks can tell
// more.
func (d *diagnosis) clock(ctx context.Context) tasks.Check {
	if d.answer == nil {
		d.answer = d.ask(ctx)
	}
	a := d.answer
	switch {
	case a.err != nil && isTimeout(a.err):
		return check.Fail(codeTimeout, d.target.hostPort()+" took the request and did not answer",
			"Check the port in the endpoint, "+d.target.port+", and the load of the server: "+
				"it does not answer http requests.")
	case a.err != nil:
		return check.Unknown("NoAnswer", "no http answer: "+driver.CauseText(a.err))
	case a.date.IsZero():
		return check.Unknown("NoDate", "the server does not say what time it is")
	}
	return a.compareClocks()
}

func (a *answer) compareClocks() tasks.Check {
	off := a.local.Sub(a.date).Round(time.Second)
	if off.Abs() <= maxSkew {
		bound := max(off.Abs(), time.Second)
		return check.OK(fmt.Sprintf("the clocks of server and worker differ by %s at most", bound))
	}
	direction := "ahead"
	if off < 0 {
		direction = "behind"
	}
	evidence := fmt.Sprintf("the server says it is %s, the worker %s: the worker is %s %s",
		formatTime(a.date), formatTime(a.local), off.Abs(), direction)
	return check.Warn(codeClockSkew, evidence,
		"Set the worker's clock and keep it right with NTP: requests that are signed "+
			"with a wrong time are refused. If its clock is right, the server's is wrong.")
}

// ask sends a request on the open connection. Most servers that want
// TLS say so in the body of a 400. So a plain http request is a GET,
// because the answer to a HEAD has no body.
func (d *diagnosis) ask(ctx context.Context) *answer {
	method := http.MethodHead
	if d.target.isPlain() {
		method = http.MethodGet
	}
	req, err := d.target.request(ctx, method)
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
	a.date, _ = http.ParseTime(resp.Header.Get("Date")) // zero if the header is missing
	a.wantsTLS = d.target.isPlain() && asksForTLS(resp)
	return a
}

// tlsAlert is the first byte of a TLS record that carries an alert
// (RFC 8446, section 5.1).
const tlsAlert = 0x15

func asksForTLS(resp *http.Response) bool {
	if resp.StatusCode != http.StatusBadRequest {
		return false
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	body = bytes.ToLower(body)
	return bytes.Contains(body, []byte("https")) || bytes.Contains(body, []byte("ssl"))
}
