package cors

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// question is what a preflight asks. Method and headers may be missing.
type question struct {
	origin, method string
	headers        []string
}

// exchange is a question and its answer.
type exchange struct {
	question
	target string
	verb   string // of the request itself
	status int
	header http.Header
}

// preflight asks. An error means that there was no answer at all.
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

func (p page) send(ctx context.Context, verb string, q question, more func(http.Header)) (exchange, error) {
	req, err := http.NewRequestWithContext(ctx, verb, p.target, nil)
	if err != nil {
		return exchange{}, err
	}
	req.Header.Set("Origin", q.origin)
	more(req.Header)
	resp, err := p.client.Do(req)
	if err != nil {
		return exchange{}, err
	}
	return exchange{q, p.target, verb, resp.StatusCode, resp.Header}, resp.Body.Close()
}

// element is what an answer lacks.
type element int

const (
	allowed element = iota
	noOrigin
	noMethod
	noHeaders
	badStatus
)

// verdict is what a browser makes of the answer, by the headers first:
// servers refuse with any status, 200 and 204 too. Browsers let GET, HEAD and
// POST pass that are not listed; a server whose rule does not list them
// refuses them later, so here they must be.
func (e exchange) verdict() element {
	switch {
	case !e.allowsOrigin():
		return noOrigin
	case e.method != "" && !lists(e.header, "Access-Control-Allow-Methods", e.method):
		return noMethod
	case slices.ContainsFunc(e.headers, func(h string) bool { return !e.allowsHeader(h) }):
		return noHeaders
	case e.status < 200 || e.status > 299:
		return badStatus
	}
	return allowed
}

// allowsOrigin wants the header once: browsers refuse two of it, whatever
// they say.
func (e exchange) allowsOrigin() bool {
	values := e.header.Values("Access-Control-Allow-Origin")
	return len(values) == 1 && (values[0] == e.origin || values[0] == "*")
}

func (e exchange) allowsHeader(name string) bool {
	return lists(e.header, "Access-Control-Allow-Headers", name)
}

// lists reports whether a header's comma-separated items hold one, or a star.
// Case matters for methods only, and no server answers them in lower case.
func lists(h http.Header, header, item string) bool {
	return slices.ContainsFunc(items(h, header), func(i string) bool { return i == "*" || strings.EqualFold(i, item) })
}

func items(h http.Header, header string) (all []string) {
	for _, value := range h.Values(header) {
		for item := range strings.SplitSeq(value, ",") {
			if item = strings.TrimSpace(item); item != "" {
				all = append(all, item)
			}
		}
	}
	return all
}

// String is what was sent and what came back.
func (e exchange) String() string {
	sent := []string{"Origin: " + e.origin}
	if e.method != "" && e.verb == http.MethodOptions {
		sent = append(sent, "Access-Control-Request-Method: "+e.method)
	}
	if len(e.headers) > 0 && e.verb == http.MethodOptions {
		sent = append(sent, "Access-Control-Request-Headers: "+strings.Join(e.headers, ","))
	}
	got := "without Access-Control headers"
	if told := e.told(); len(told) > 0 {
		got = "with " + strings.Join(told, "; ")
	}
	return fmt.Sprintf("%s %s with %s got %d %s", e.verb, e.target, strings.Join(sent, "; "), e.status, got)
}

// told are the answer's headers that matter to CORS, in a fixed order.
func (e exchange) told() (all []string) {
	for _, name := range []string{"Origin", "Methods", "Headers", "Credentials"} {
		if name = "Access-Control-Allow-" + name; e.header.Values(name) != nil {
			all = append(all, name+": "+clean(strings.Join(e.header.Values(name), ", ")))
		}
	}
	return all
}

const maxClean = 200 // bytes

// clean makes what a server sent fit for a line.
func clean(text string) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "?"), func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	if len(text) > maxClean {
		text = strings.ToValidUTF8(text[:maxClean], "") + "…"
	}
	return text
}

// unanswered leaves open what nobody answered, unless time was up.
func (p page) unanswered(ctx context.Context, err error) tasks.Check {
	var network net.Error
	if ctx.Err() != nil || errors.As(err, &network) && network.Timeout() {
		return tasks.Check{
			Status: tasks.CheckFail, Code: codeTimeout, Evidence: "no answer to OPTIONS " + p.target,
			Fix: "Let the server answer OPTIONS requests, which browsers send first; a firewall or proxy may drop them.",
		}
	}
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err // what is around it repeats the URL
	}
	c := tasks.Check{Status: tasks.CheckUnknown, Code: codeUnreachable, Evidence: "OPTIONS " + p.target + ": " + clean(err.Error())}
	if kind := providers.KindOf(err); kind != providers.Unavailable {
		c.Code = string(kind)
	}
	return c
}
