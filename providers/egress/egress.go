// Package egress holds the rules about where a worker may connect to,
// and the HTTP client that keeps to them. Every cloud's client is
// built on it. Everybody who can enqueue a job can name any endpoint.
// So each address is checked after its name was resolved and before
// the connection is made.
//
// It knows addresses and transports. It knows no cloud and no
// credentials.
package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/stevedore-jobs/stevedore/providers/limits"
)

// Policy says where a worker may connect to. The zero value allows
// public addresses over https only.
type Policy struct {
	// Allow lists networks that are refused by default because they
	// are private, for example that of a MinIO server. Plain http is
	// allowed to them too. Some addresses, such as a cloud's metadata
	// service, are refused even if they are listed here.
	Allow []netip.Prefix
	// AllowHTTP allows plain http to public addresses.
	AllowHTTP bool
}

// Check decides about an address that is reached over https. An IPv6
// address that leads to an IPv4 address is allowed only if that one is
// allowed too. So allowing a translator does not open what is behind
// it. The error is a *BlockedError.
func (p Policy) Check(addr netip.Addr) error {
	addr = addr.WithZone("").Unmap()
	rule, found := lookup(addr)
	switch {
	case found && (rule.always || !p.allows(addr)):
		return &BlockedError{Addr: addr, Rule: rule.name, Always: rule.always}
	case hasMetadata(addr):
		return &BlockedError{Addr: addr, Rule: ruleMetadata, Always: true}
	}
	for _, inner := range inside(addr) {
		if err := p.Check(inner); err != nil {
			return err
		}
	}
	return nil
}

// CheckHTTP decides about an address that is reached over plain http.
// The error is a *BlockedError.
func (p Policy) CheckHTTP(addr netip.Addr) error {
	if err := p.Check(addr); err != nil {
		return err
	}
	if addr = addr.WithZone("").Unmap(); !p.AllowHTTP && !p.allows(addr) {
		return &BlockedError{Addr: addr, Rule: rulePlainHTTP}
	}
	return nil
}

func (p Policy) allows(addr netip.Addr) bool {
	return slices.ContainsFunc(p.Allow, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// Client makes a client that connects only where the policy allows.
// It keeps every answer within the limits of package limits, and
// refuses requests without an operation. It ignores proxies of the
// environment and follows no redirect: the caller gets the 3xx answer.
// It is meant to be made once and shared; it is safe for concurrent
// use.
func (p Policy) Client() *http.Client {
	return &http.Client{
		Transport: limits.Transport(p.transport()),
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}

func (p Policy) transport() schemeTransport {
	return schemeTransport{https: newTransport(p.Check), http: newTransport(p.CheckHTTP)}
}

// schemeTransport has one transport for each scheme, because a dialer
// does not know for which scheme it dials.
type schemeTransport struct{ https, http *http.Transport }

func (t schemeTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "http" {
		return t.http.RoundTrip(r)
	}
	return t.https.RoundTrip(r)
}

// CloseIdleConnections is called by http.Client.CloseIdleConnections.
func (t schemeTransport) CloseIdleConnections() {
	t.https.CloseIdleConnections()
	t.http.CloseIdleConnections()
}

// maxConns bounds the connections to one host. With fewer connections
// than requests in flight, throughput was a quarter.
const maxConns = 512

// newTransport makes a transport for very many small ranged reads
// from one host. HTTP/2 is off, because one connection of it carries
// only about a hundred requests at once.
func newTransport(check func(netip.Addr) error) *http.Transport {
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	return &http.Transport{
		DialContext:            Dialer(check),
		MaxIdleConnsPerHost:    maxConns,
		MaxConnsPerHost:        maxConns,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: limits.MaxHeader,
		DisableCompression:     true,
		Protocols:              http1,
	}
}

// Dial is a function that connects, as http.Transport calls it.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Dialer makes a function that connects only to addresses for which
// check returns nil. Its error for another address is the
// *BlockedError alone: the errors of package net tell the address.
func Dialer(check func(netip.Addr) error) Dial {
	dialer := &net.Dialer{
		Timeout:        10 * time.Second,
		KeepAlive:      30 * time.Second,
		ControlContext: control(check),
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		var blocked *BlockedError
		if errors.As(err, &blocked) {
			host, _, _ := net.SplitHostPort(address)
			return nil, blocked.For(host)
		}
		return conn, err
	}
}

type controlFunc func(ctx context.Context, network, address string, c syscall.RawConn) error

// control returns a function that runs when the address is known and
// nothing has been sent. So a name that resolves to another address
// the second time gains nothing.
func control(check func(netip.Addr) error) controlFunc {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		target, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return check(target.Addr())
	}
}
