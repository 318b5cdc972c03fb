package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/limits"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// loopback is a network that may connect to this machine.
func loopback(t testing.TB) *Network {
	t.Helper()
	allow, err := egress.ParseAllow("127.0.0.0/8,::1")
	if err != nil {
		t.Fatal(err)
	}
	return New(egress.Policy{Allow: allow})
}

// brief returns the IDs, statuses and codes of checks.
func brief(checks []tasks.Check) string {
	var all []string
	for _, c := range checks {
		all = append(all, strings.TrimSpace(c.ID+" "+string(c.Status)+" "+c.Code))
	}
	return strings.Join(all, ", ")
}

// only returns the one check that is neither ok nor skipped.
func only(t testing.TB, checks []tasks.Check) tasks.Check {
	t.Helper()
	odd := slices.DeleteFunc(slices.Clone(checks), func(c tasks.Check) bool {
		return c.Status == tasks.CheckOK || c.Status == tasks.CheckSkipped
	})
	if len(odd) != 1 {
		t.Fatalf("%d checks found something, want 1: %s", len(odd), brief(checks))
	}
	return odd[0]
}

func wantCheck(t testing.TB, c tasks.Check, evidence, fix string) {
	t.Helper()
	if !strings.Contains(c.Evidence, evidence) || !strings.Contains(c.Fix, fix) {
		t.Errorf("evidence %q, fix %q; want %q and %q in them", c.Evidence, c.Fix, evidence, fix)
	}
}

// listener passes every connection to do, which closes it.
func listener(t testing.TB, do func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go do(conn)
		}
	}()
	return l.Addr().String()
}

func TestDiagnose_Resolve(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "://", "ftp://host", "https://", "host:443", "https://user:pa%zz@host"} {
		checks := New(egress.Policy{}).diagnose(t.Context(), bad)
		if got := brief(checks); got != "resolve fail InvalidEndpoint, egress skipped, connect skipped, tls skipped, clock skipped" {
			t.Errorf("%q: %s", bad, got)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // for machines without DNS
	defer cancel()
	c := only(t, New(egress.Policy{}).diagnose(ctx, "https://bucket.nowhere.invalid/x?sig=secret"))
	if c.ID != "resolve" || c.Status != tasks.CheckFail || strings.Contains(c.Evidence+c.Fix, "secret") {
		t.Errorf("%+v", c)
	}
	wantCheck(t, c, "bucket.nowhere.invalid", "")
}

func TestResolveFailed(t *testing.T) {
	t.Parallel()
	for code, err := range map[string]error{
		"NoSuchHost": &net.DNSError{Err: "no such host", Name: "h", IsNotFound: true},
		"timeout":    &net.DNSError{Err: "i/o timeout", Name: "h", IsTimeout: true},
		"DNSFailed":  &net.DNSError{Err: "server misbehaving", Name: "h", IsTemporary: true},
	} {
		if c := resolveFailed("h", err); c.Code != code || c.Status != tasks.CheckFail || c.Evidence == "" || c.Fix == "" {
			t.Errorf("%v: %+v", err, c)
		}
	}
	if c := resolveFailed("h", errors.New("odd")); c.Code != "DNSFailed" {
		t.Errorf("%+v", c)
	}
}

func TestDiagnose_Egress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url, evidence, fix string
	}{
		{"https://127.0.0.1:9", "127.0.0.1 is refused (loopback)", "add 127.0.0.1/32 to the setting egress-allow"},
		{"https://[::ffff:10.1.2.3]", "10.1.2.3 is refused (private network)", "add 10.1.2.3/32 to"},
		{"https://[fd12::1]", "fd12::1 is refused", "add fd12::1/128 to"},
		{"https://169.254.169.254", "no setting allows it", "Use another endpoint"},
		{"http://1.1.1.1", "plain http", "Write https:// instead of http://; if"},
	} {
		got := only(t, New(egress.Policy{}).diagnose(t.Context(), c.url))
		if got.ID != "egress" || got.Status != tasks.CheckFail || got.Code != "EgressBlocked" {
			t.Errorf("%s: %+v", c.url, got)
		}
		wantCheck(t, got, c.evidence, c.fix)
	}
}

func TestEgress_SeveralAddresses(t *testing.T) {
	t.Parallel()
	addrs := []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")}
	d := &diagnosis{addrs: addrs}
	d.target = mustEndpoint(t, "https://internal")
	c := d.egress(t.Context())
	if c.Status != tasks.CheckFail {
		t.Errorf("%+v", c)
	}
	wantCheck(t, c, "egress to internal is refused", "add the addresses of internal to the setting egress-allow")
	if strings.ContainsAny(c.Evidence+c.Fix, "0123456789") || strings.Contains(c.Evidence, "private") {
		t.Errorf("the addresses are told: %+v", c)
	}
	d.policy.Allow, _ = egress.ParseAllow("10.0.0.0/8")
	if c = d.egress(t.Context()); c.Status != tasks.CheckWarn {
		t.Errorf("%+v", c)
	}
	wantCheck(t, c, "only these are used: 10.0.0.1", "the addresses of internal")
	if strings.Contains(c.Evidence+c.Fix, "fd00") {
		t.Errorf("the refused address is told: %+v", c)
	}
}

// Who writes payloads learns nothing about the network of the workers:
// not what a name resolves to, neither from verify nor from the error
// of a job.
func TestRefusedAddressesAreNotTold(t *testing.T) {
	t.Parallel()
	n := New(egress.Policy{})
	for _, scheme := range []string{"http", "https"} {
		endpoint := scheme + "://localhost:9"
		checks := n.Diagnose(t.Context(), endpoint, providers.SignIn{})
		if got := brief(checks); got != "resolve ok, egress fail EgressBlocked, connect skipped, tls skipped, clock skipped" {
			t.Errorf("%s: %s", endpoint, got)
		}
		d := &diagnosis{target: mustEndpoint(t, endpoint)} // as if the name had changed since resolve
		checks = append(checks, d.connect(t.Context()))
		req, err := http.NewRequestWithContext(limits.For(t.Context(), limits.Read), http.MethodGet, endpoint, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = n.Client().Do(req)
		e := driver.Unreached(err)
		if e.Kind != providers.Blocked {
			t.Errorf("%s: %v", endpoint, err)
		}
		text := fmt.Sprintf("%+v %+v %v %s %v", checks, *e, e, e.Advice(), err)
		for _, told := range []string{"127.0.0.1", "::1", "loopback", "private"} {
			if strings.Contains(text, told) {
				t.Errorf("%q is told: %s", told, text)
			}
		}
	}
}

func TestDiagnose_Connect(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	_ = l.Close()
	checks := loopback(t).diagnose(t.Context(), "https://"+at)
	if got := brief(checks); got != "resolve ok, egress ok, connect fail ConnectionRefused, tls skipped, clock skipped" {
		t.Error(got)
	}
	_, port, _ := net.SplitHostPort(at)
	wantCheck(t, only(t, checks), at, "Check the port in the endpoint, "+port)
}

// A name may have another address the second time, so connecting asks
// the policy again.
func TestConnect_IsGuarded(t *testing.T) {
	t.Parallel()
	contacted := make(chan struct{}, 1)
	at := listener(t, func(c net.Conn) {
		contacted <- struct{}{}
		_ = c.Close()
	})
	for _, scheme := range []string{"http://", "https://"} {
		d := &diagnosis{target: mustEndpoint(t, scheme+at)}
		if c := d.connect(t.Context()); c.Status != tasks.CheckFail || c.Code != "EgressBlocked" || d.conn != nil {
			t.Errorf("%s: %+v", scheme, c)
		}
	}
	if len(contacted) > 0 {
		t.Error("a refused address was connected to")
	}
}

func TestConnectFailed(t *testing.T) {
	t.Parallel()
	d := &diagnosis{target: mustEndpoint(t, "https://h:9000")}
	for code, err := range map[string]error{
		"timeout":       &net.OpError{Op: "dial", Err: context.DeadlineExceeded},
		"EgressBlocked": &net.OpError{Op: "dial", Err: &egress.BlockedError{Addr: netip.MustParseAddr("10.0.0.1"), Rule: "private network"}},
		"ConnectFailed": &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "h", Server: "10.9.8.7:53"}},
	} {
		c := d.connectFailed(err)
		if c.Code != code || c.Status != tasks.CheckFail || c.Evidence == "" || c.Fix == "" || strings.Contains(c.Evidence, "10.9.8.7") {
			t.Errorf("%v: %+v", err, c)
		}
	}
}

func TestDiagnose_PlainHTTP(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	if got := brief(loopback(t).diagnose(t.Context(), server.URL)); got != "resolve ok, egress ok, connect ok, tls skipped, clock ok" {
		t.Error(got)
	}
	byName := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	if got := brief(loopback(t).diagnose(t.Context(), byName)); got != "resolve ok, egress ok, connect ok, tls skipped, clock ok" {
		t.Error(got)
	}
}

func TestDiagnose_Clock(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		date, want, evidence string
	}{
		"right":  {time.Now().UTC().Format(http.TimeFormat), "clock ok", ""},
		"ahead":  {time.Now().UTC().Add(-time.Hour).Format(http.TimeFormat), "clock warn ClockSkew", " ahead"},
		"behind": {time.Now().UTC().Add(6 * time.Minute).Format(http.TimeFormat), "clock warn ClockSkew", " behind"},
		"odd":    {"yesterday", "clock unknown NoDate", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", c.date)
				w.WriteHeader(http.StatusForbidden)
			}))
			defer server.Close()
			checks := loopback(t).diagnose(t.Context(), server.URL)
			if got := brief(checks[4:]); got != c.want {
				t.Errorf("%+v", checks[4])
			}
			if wantCheck(t, checks[4], c.evidence, ""); checks[4].Status == tasks.CheckWarn {
				wantCheck(t, checks[4], "the server says it is 20", "NTP")
			}
		})
	}
}

// Some servers close the connection or never answer.
func TestDiagnose_NoAnswer(t *testing.T) {
	t.Parallel()
	closing := listener(t, func(c net.Conn) { _ = c.Close() })
	if got := brief(loopback(t).diagnose(t.Context(), "http://"+closing)[3:]); got != "tls skipped, clock unknown NoAnswer" {
		t.Error(got)
	}
	silent := listener(t, func(c net.Conn) {
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if got := brief(loopback(t).diagnose(ctx, "http://"+silent)[3:]); got != "tls skipped, clock fail timeout" {
		t.Error(got)
	}
}
