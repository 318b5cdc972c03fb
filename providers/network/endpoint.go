package network

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// endpoint is the address of a server: the scheme, host and port of a
// URL, and nothing else of it.
type endpoint struct {
	scheme string // http or https
	host   string // without a port
	port   string // the scheme's own if the URL has none
	text   string // the URL as it was written, without path and user
}

func parseEndpoint(rawURL string) (endpoint, bool) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return endpoint{}, false
	}
	e := endpoint{
		scheme: u.Scheme,
		host:   u.Hostname(),
		port:   u.Port(),
		text:   u.Scheme + "://" + u.Host,
	}
	switch {
	case e.port != "":
	case e.isPlain():
		e.port = "80"
	default:
		e.port = "443"
	}
	return e, true
}

func (e endpoint) isPlain() bool { return e.scheme == "http" }

func (e endpoint) hostPort() string { return net.JoinHostPort(e.host, e.port) }

// otherScheme returns the endpoint as it would be written with the
// other scheme.
func (e endpoint) otherScheme() string {
	host := strings.TrimPrefix(e.text, e.scheme+"://")
	if e.isPlain() {
		return "https://" + host
	}
	return "http://" + host
}

// isSameServer reports whether two URLs lead to one server.
func isSameServer(a, b string) bool {
	first, ok := parseEndpoint(a)
	second, fine := parseEndpoint(b)
	if !ok || !fine {
		return a == b
	}
	return first.scheme == second.scheme && strings.EqualFold(first.hostPort(), second.hostPort())
}

// request asks for the root of the server, without credentials.
func (e endpoint) request(ctx context.Context, method string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, e.text+"/", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "stevedore")
	req.Close = true
	return req, nil
}
