package egress

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// stepTimeout bounds every step of a diagnosis; ctx bounds the whole.
const stepTimeout = 10 * time.Second

// codeTimeout is the code of every check that ran out of time.
const codeTimeout = "timeout"

// Diagnose looks at the way to a URL, one step after the other: resolve,
// egress, connect, tls, clock. It connects only where the policy allows and
// sends no credentials. At most one check fails, the first fault on the way;
// those after it are skipped. Of the URL only scheme, host and port count,
// and nothing else of it is repeated.
func (p Policy) Diagnose(ctx context.Context, rawURL string) []tasks.Check {
	return p.diagnose(ctx, rawURL, nil)
}

func (p Policy) diagnose(ctx context.Context, rawURL string, roots *x509.CertPool) []tasks.Check {
	d := &diagnosis{policy: p, roots: roots}
	defer d.close()
	var checks []tasks.Check
	stopped := ""
	for _, step := range []struct {
		id  string
		run func(context.Context) tasks.Check
	}{
		{"resolve", func(ctx context.Context) tasks.Check { return d.resolve(ctx, rawURL) }},
		{"egress", d.egress},
		{"connect", d.connect},
		{"tls", d.tls},
		{"clock", d.clock},
	} {
		c := tasks.Check{Status: tasks.CheckSkipped, Evidence: "needs " + stopped + ", which failed"}
		if stopped == "" {
			c = bounded(ctx, step.run)
		}
		if c.ID = step.id; c.Status == tasks.CheckFail {
			stopped = step.id
		}
		checks = append(checks, c)
	}
	return checks
}

func bounded(ctx context.Context, run func(context.Context) tasks.Check) tasks.Check {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	return run(ctx)
}

// diagnosis is what its steps hand on to each other.
type diagnosis struct {
	policy Policy
	roots  *x509.CertPool // nil means the system's
	target *url.URL       // scheme, host and port only
	addrs  []netip.Addr
	conn   net.Conn
	answer *answer
}

func (d *diagnosis) close() {
	if d.conn != nil {
		_ = d.conn.Close()
	}
}

func (d *diagnosis) plain() bool { return d.target.Scheme == "http" }

// port is the URL's, or the scheme's own.
func (d *diagnosis) port() string {
	switch {
	case d.target.Port() != "":
		return d.target.Port()
	case d.plain():
		return "80"
	}
	return "443"
}

func (d *diagnosis) hostPort() string { return net.JoinHostPort(d.target.Hostname(), d.port()) }

// allowed decides about an address for the scheme of the URL.
func (d *diagnosis) allowed(addr netip.Addr) error {
	if d.plain() {
		return d.policy.checkPlain(addr)
	}
	return d.policy.Check(addr)
}

func (d *diagnosis) resolve(ctx context.Context, rawURL string) tasks.Check {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return fail("InvalidEndpoint", "the endpoint is not an http(s) URL", "Write the endpoint as https://host or http://host, with a port if it needs one.")
	}
	d.target = &url.URL{Scheme: u.Scheme, Host: u.Host}
	host := u.Hostname()
	if addr, err := netip.ParseAddr(host); err == nil {
		d.addrs = []netip.Addr{addr.Unmap()}
		return ok("%s is an address itself", host)
	}
	addrs, err := new(net.Resolver).LookupNetIP(ctx, "ip", host)
	if err != nil {
		return unresolved(host, err)
	}
	for _, addr := range addrs {
		d.addrs = append(d.addrs, addr.Unmap())
	}
	return ok("%s is %s", host, join(d.addrs, ", "))
}

func unresolved(host string, err error) tasks.Check {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fail("NoSuchHost", "no DNS server knows "+host,
			"Check the host name "+host+" letter by letter; a private name must be known to the DNS server that the workers use.")
	case timedOut(err):
		return fail(codeTimeout, "no DNS server answered about "+host, "Check the workers' DNS servers: they do not answer.")
	case dns != nil:
		return fail("DNSFailed", "looking up "+host+": "+dns.Err, "Check the workers' DNS servers, then the host name "+host+".")
	}
	return fail("DNSFailed", "looking up "+host+": "+clean(err.Error()), "Check the workers' DNS servers, then the host name "+host+".")
}

// egress asks the policy about every address. One that is allowed is enough,
// because connections fall back to it.
func (d *diagnosis) egress(context.Context) tasks.Check {
	var refused []*BlockedError
	var allowed []netip.Addr
	for _, addr := range d.addrs {
		var blocked *BlockedError
		if err := d.allowed(addr); errors.As(err, &blocked) {
			refused = append(refused, blocked)
			continue
		}
		allowed = append(allowed, addr)
	}
	switch {
	case len(refused) == 0:
		return ok("the workers may connect to %s", join(allowed, ", "))
	case len(allowed) == 0:
		return refusal(tasks.CheckFail, refused, "")
	}
	return refusal(tasks.CheckWarn, refused, "; only "+join(allowed, ", ")+" is used")
}

func refusal(status tasks.CheckStatus, refused []*BlockedError, more string) tasks.Check {
	c := tasks.Check{Status: status, Code: "EgressBlocked", Fix: refused[0].Fix()}
	var networks []netip.Prefix
	for _, b := range refused {
		if !b.Always {
			networks = append(networks, b.network())
		}
	}
	if len(networks) > 1 {
		c.Fix = refused[0].instead() + fmt.Sprintf("let the workers' operator add %s to %s.", join(networks, ","), Setting)
	}
	c.Evidence = join(refused, "; ") + more
	return c
}

func (d *diagnosis) connect(ctx context.Context) tasks.Check {
	start := time.Now()
	conn, err := dialer(d.allowed).DialContext(ctx, "tcp", d.hostPort())
	if err != nil {
		return d.unconnected(err)
	}
	d.conn = conn
	return ok("connected to %s in %s", conn.RemoteAddr(), time.Since(start).Round(time.Millisecond))
}

func ok(format string, args ...any) tasks.Check {
	return tasks.Check{Status: tasks.CheckOK, Evidence: fmt.Sprintf(format, args...)}
}

func fail(code, evidence, fix string) tasks.Check {
	return tasks.Check{Status: tasks.CheckFail, Code: code, Evidence: evidence, Fix: fix}
}

func join[T any](items []T, between string) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = fmt.Sprint(item)
	}
	return strings.Join(texts, between)
}

// otherScheme is the endpoint as it would be written with the other scheme.
func (d *diagnosis) otherScheme() string {
	if d.plain() {
		return "https://" + d.target.Host
	}
	return "http://" + d.target.Host
}

// request asks for nothing but the root, as nobody in particular.
func (d *diagnosis) request(ctx context.Context, method string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, d.target.String()+"/", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "stevedore")
	req.Close = true
	return req, nil
}
