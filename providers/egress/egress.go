// Package egress is the way out: the guarded HTTP client that every cloud
// client is built on. Whoever can enqueue a job can name any endpoint, so
// each address is checked after the name was resolved and before the
// connection is made.
//
// It knows addresses and transports; it knows no cloud and no credentials.
package egress

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// Policy says where a worker may connect to. The zero value allows public
// addresses over https only.
type Policy struct {
	// Allow lists networks that are refused by default because they are
	// private, for example the one of an own MinIO. Plain http is allowed to
	// them too. Some addresses, such as a cloud's metadata service, stay
	// refused all the same.
	Allow []netip.Prefix
	// AllowHTTP lets plain http go to public addresses.
	AllowHTTP bool
}

// Check decides about one address, reached over https. The error is a
// *BlockedError.
func (p Policy) Check(addr netip.Addr) error {
	addr = addr.WithZone("").Unmap()
	rule, found := lookup(addr)
	if found && (rule.always || !p.allows(addr)) {
		return &BlockedError{Addr: addr, Rule: rule.name, Always: rule.always}
	}
	return nil
}

func (p Policy) checkPlain(addr netip.Addr) error {
	if err := p.Check(addr); err != nil {
		return err
	}
	if addr = addr.WithZone("").Unmap(); !p.AllowHTTP && !p.allows(addr) {
		return &BlockedError{Addr: addr, Rule: rulePlain}
	}
	return nil
}

func (p Policy) allows(addr netip.Addr) bool {
	return slices.ContainsFunc(p.Allow, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// Client makes a client that connects only where the policy allows, ignores
// proxies of the environment and follows no redirect: the caller gets the 3xx
// answer. It is meant to be made once and shared; it may be used by many
// goroutines.
func (p Policy) Client() *http.Client {
	return &http.Client{
		Transport:     guarded{https: transport(p.Check), http: transport(p.checkPlain)},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// guarded has a transport a scheme, because a dialer does not know for which
// scheme it dials.
type guarded struct{ https, http *http.Transport }

func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "http" {
		return g.http.RoundTrip(r)
	}
	return g.https.RoundTrip(r)
}

// CloseIdleConnections is what http.Client.CloseIdleConnections calls.
func (g guarded) CloseIdleConnections() {
	g.https.CloseIdleConnections()
	g.http.CloseIdleConnections()
}

const perHost = 512 // connections to one host; below the number of requests in flight, throughput falls by four

// transport is tuned for very many small ranged reads from one host. HTTP/2
// stays off: one connection of it carries only about a hundred requests at
// once.
func transport(check func(netip.Addr) error) *http.Transport {
	only1 := new(http.Protocols)
	only1.SetHTTP1(true)
	return &http.Transport{
		DialContext:            dialer(check).DialContext,
		MaxIdleConnsPerHost:    perHost,
		MaxConnsPerHost:        perHost,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		DisableCompression:     true,
		Protocols:              only1,
	}
}

// dialer connects only to addresses that check lets through.
func dialer(check func(netip.Addr) error) *net.Dialer {
	return &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, ControlContext: control(check)}
}

// control runs when the address is known and nothing has been sent, so a name
// that resolves differently the second time gains nothing.
func control(check func(netip.Addr) error) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		target, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return check(target.Addr())
	}
}
