package cors

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/limits"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// preflight sends a preflight. It returns an error only if there was
// no answer at all.
func (p page) preflight(ctx context.Context, q question) (exchange, error) {
	return p.send(ctx, http.MethodOptions, q, func(h http.Header) {
		if q.method != "" {
			h.Set("Access-Control-Request-Method", q.method)
		}
		if len(q.headers) > 0 {
			h.Set("Access-Control-Request-Headers", strings.Join(q.headers, ","))
		}
	})
}

// request sends the request that the preflight was for, without
// credentials. It returns false if there is no answer that tells
// anything.
func (p page) request(ctx context.Context) (exchange, bool) {
	for _, verb := range []string{http.MethodGet, http.MethodHead} {
		if !slices.Contains(p.want.Methods, verb) {
			continue
		}
		oneByte := func(h http.Header) { h.Set("Range", "bytes=0-0") }
		e, err := p.send(ctx, verb, question{origin: p.want.Origin}, oneByte)
		return e, err == nil && e.allowsOrigin()
	}
	return exchange{}, false
}

func (p page) send(
	ctx context.Context, verb string, q question, set func(http.Header),
) (exchange, error) {
	ctx = limits.For(ctx, limits.Preflight)
	req, err := http.NewRequestWithContext(ctx, verb, p.target, nil)
	if err != nil {
		return exchange{}, err
	}
	req.Header.Set("Origin", q.origin)
	set(req.Header)
	resp, err := p.client.Do(req)
	if err != nil {
		return exchange{}, err
	}
	return exchange{
		question: q,
		target:   p.target,
		verb:     verb,
		status:   resp.StatusCode,
		header:   resp.Header,
	}, resp.Body.Close()
}

// unanswered makes the check of a preflight without an answer: a
// failure if time ran out, unknown otherwise.
func (p page) unanswered(ctx context.Context, err error) tasks.Check {
	var network net.Error
	if ctx.Err() != nil || errors.As(err, &network) && network.Timeout() {
		return check.Fail(codeTimeout, "no answer to OPTIONS "+p.target,
			"Let the server answer OPTIONS requests, which browsers send first; "+
				"a firewall or proxy may drop them.")
	}
	code := codeUnreachable
	if kind := providers.KindOf(err); kind != providers.Unavailable {
		code = string(kind)
	}
	return check.Unknown(code, "OPTIONS "+p.target+": "+driver.CauseText(err))
}
