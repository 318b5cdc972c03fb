package network

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// stepTimeout bounds each check of a diagnosis. The context bounds
// the whole.
const stepTimeout = 10 * time.Second

// codeTimeout is the code of every check that ran out of time.
const codeTimeout = "timeout"

const codeEgress = "EgressBlocked"

// diagnosis checks the way to one server, step by step. Each step
// leaves its result to the next ones.
type diagnosis struct {
	policy egress.Policy
	roots  *x509.CertPool // nil means those of the system

	target endpoint
	addrs  []netip.Addr
	conn   net.Conn
	answer *answer // nil until the server was asked
}

// diagnose checks the way to a URL: resolve, egress, connect, tls,
// clock. It connects only where the policy allows, and sends no
// credentials. At most one check fails: the first fault on the way.
// Those after it are skipped. It uses and repeats only scheme, host
// and port of the URL.
func (n *Network) diagnose(ctx context.Context, rawURL string) []tasks.Check {
	d := &diagnosis{policy: n.policy, roots: n.roots}
	defer d.close()
	resolve := func(ctx context.Context) tasks.Check { return d.resolve(ctx, rawURL) }
	return check.Run(ctx, []check.Step{
		{ID: tasks.CheckIDResolve, Wanted: true, Run: withTimeout(resolve)},
		{ID: tasks.CheckIDEgress, Wanted: true, Run: withTimeout(d.egress)},
		{ID: tasks.CheckIDConnect, Wanted: true, Run: withTimeout(d.connect)},
		{ID: tasks.CheckIDTLS, Wanted: true, Run: withTimeout(d.tls)},
		{ID: tasks.CheckIDClock, Wanted: true, Run: withTimeout(d.clock)},
	})
}

func withTimeout(run func(context.Context) tasks.Check) func(context.Context) tasks.Check {
	return func(ctx context.Context) tasks.Check {
		ctx, cancel := context.WithTimeout(ctx, stepTimeout)
		defer cancel()
		return run(ctx)
	}
}

func (d *diagnosis) close() {
	if d.conn != nil {
		_ = d.conn.Close()
	}
}

// allowed decides about an address for the scheme of the URL.
func (d *diagnosis) allowed(addr netip.Addr) error {
	if d.target.isPlain() {
		return d.policy.CheckHTTP(addr)
	}
	return d.policy.Check(addr)
}

// reachable returns the addresses that the workers may connect to.
func (d *diagnosis) reachable() []netip.Addr {
	refused := func(addr netip.Addr) bool { return d.allowed(addr) != nil }
	return slices.DeleteFunc(slices.Clone(d.addrs), refused)
}

func (d *diagnosis) resolve(ctx context.Context, rawURL string) tasks.Check {
	target, ok := parseEndpoint(rawURL)
	if !ok {
		return check.Fail("InvalidEndpoint", "the endpoint is not an http(s) URL",
			"Write the endpoint as https://host or http://host, with a port if it needs one.")
	}
	d.target = target
	if addr, err := netip.ParseAddr(target.host); err == nil {
		d.addrs = []netip.Addr{addr.Unmap()}
		return check.OK(target.host + " is an address itself")
	}

	addrs, err := new(net.Resolver).LookupNetIP(ctx, "ip", target.host)
	if err != nil {
		return resolveFailed(target.host, err)
	}
	for _, addr := range addrs {
		d.addrs = append(d.addrs, addr.Unmap())
	}
	// Addresses that the workers may not connect to are not shown.
	if allowed := d.reachable(); len(allowed) == len(d.addrs) {
		return check.OK(target.host + " is " + join(allowed, ", "))
	}
	return check.OK("the workers' DNS knows " + target.host)
}

// egress asks the policy about every address. One that is allowed is
// enough, because a connection tries them one after the other.
func (d *diagnosis) egress(context.Context) tasks.Check {
	var refused []*egress.BlockedError
	for _, addr := range d.addrs {
		var blocked *egress.BlockedError
		if errors.As(d.allowed(addr), &blocked) {
			refused = append(refused, blocked.For(d.target.host))
		}
	}
	allowed := d.reachable()
	switch {
	case len(refused) == 0:
		return check.OK("the workers may connect to " + join(allowed, ", "))
	case len(allowed) == 0:
		return egressFailed(refused...)
	}
	return check.Warn(codeEgress, "some addresses of "+d.target.host+" are refused; "+
		"only these are used: "+join(allowed, ", "), egress.Fix(refused))
}

// egressFailed explains why no address may be connected to. All are of
// one host.
func egressFailed(refused ...*egress.BlockedError) tasks.Check {
	return check.Fail(codeEgress, refused[0].Error(), egress.Fix(refused))
}

func (d *diagnosis) connect(ctx context.Context) tasks.Check {
	start := time.Now()
	conn, err := egress.Dialer(d.allowed)(ctx, "tcp", d.target.hostPort())
	if err != nil {
		return d.connectFailed(err)
	}
	d.conn = conn
	took := time.Since(start).Round(time.Millisecond)
	return check.OK(fmt.Sprintf("connected to %s in %s", conn.RemoteAddr(), took))
}

func join[T any](items []T, separator string) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = fmt.Sprint(item)
	}
	return strings.Join(texts, separator)
}
