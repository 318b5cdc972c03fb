package egress

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/limits"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	everything := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	for _, c := range []struct {
		addr          string
		byDefault     bool // allowed by the zero policy
		whenAllAllows bool // allowed if the operator lists everything
	}{
		{"1.1.1.1", true, true},
		{"52.219.0.1", true, true},
		{"2606:4700::1111", true, true},
		{"127.0.0.1", false, true},
		{"127.8.9.1", false, true},
		{"::1", false, true},
		{"::ffff:127.0.0.1", false, true},
		{"10.1.2.3", false, true},
		{"172.16.0.1", false, true},
		{"172.32.0.1", true, true},
		{"192.168.1.1", false, true},
		{"100.64.0.1", false, true},
		{"192.0.0.8", false, true},
		{"192.0.2.1", false, true},
		{"198.18.0.1", false, true},
		{"198.51.100.7", false, true},
		{"203.0.113.7", false, true},
		{"fd12::1", false, true},
		{"2001:0:102:304::fefd:fcfb", false, true}, // Teredo
		{"2001:db8::1", false, true},
		{"64:ff9b::102:304", false, true},
		{"2002:102:304::1", false, true},
		{"0.0.0.0", false, false},
		{"0.1.2.3", false, false},
		{"::", false, false},
		{"::7f00:1", false, false},
		{"169.254.169.254", false, false},
		{"::ffff:169.254.169.254", false, false},
		{"64:ff9b::a9fe:a9fe", false, false}, // metadata behind NAT64
		{"2002:a9fe:a9fe::1", false, false},  // and behind 6to4
		{"100.100.100.200", false, false},
		{"168.63.129.16", false, false},
		{"fd00:ec2::254", false, false},
		{"fe80::1%eth0", false, false},
		{"224.0.0.1", false, false},
		{"ff02::1", false, false},
		{"255.255.255.255", false, false},
	} {
		addr := netip.MustParseAddr(c.addr)
		if err := (Policy{}).Check(addr); (err == nil) != c.byDefault {
			t.Errorf("%s by default: %v", c.addr, err)
		}
		if err := (Policy{Allow: everything}).Check(addr); (err == nil) != c.whenAllAllows {
			t.Errorf("%s with everything allowed: %v", c.addr, err)
		}
	}
}

func TestParseAllow(t *testing.T) {
	t.Parallel()
	got, err := ParseAllow(" 10.1.2.3/8, ::1 ,,192.168.7.7,::ffff:10.0.0.1")
	want := []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128"),
		netip.MustParsePrefix("192.168.7.7/32"), netip.MustParsePrefix("10.0.0.1/32"),
	}
	if err != nil || len(got) != len(want) {
		t.Fatalf("got %v, %v", got, err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("item %d: got %v, want %v", i, got[i], want[i])
		}
	}
	if got, err := ParseAllow("::ffff:10.0.0.0/104"); err != nil || got[0] != netip.MustParsePrefix("10.0.0.0/8") {
		t.Errorf("IPv4 written as IPv6: %v, %v", got, err)
	}
	for _, bad := range []string{"localhost", "10.0.0.0/33", "10.0.0/8", "10.0.0.1,nonsense"} {
		if _, err := ParseAllow(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	if got, err := ParseAllow(""); err != nil || got != nil {
		t.Errorf("an empty list: %v, %v", got, err)
	}
}

// A server on loopback stands for one in the operator's network. It
// is reached if it is allowed, and never contacted otherwise.
func TestClient(t *testing.T) {
	t.Parallel()
	contacted := make(chan string, 10)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		contacted <- r.URL.Path
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()

	for _, url := range []string{plain.URL, secure.URL, strings.Replace(plain.URL, "127.0.0.1", "localhost", 1)} {
		err := get(Policy{}, url)
		var blocked *BlockedError
		if !errors.As(err, &blocked) || blocked.RetryableError() {
			t.Errorf("%s: got %v", url, err)
		} else if isName := strings.Contains(url, "localhost"); isName != (blocked.Rule == "") || isName == blocked.Addr.IsValid() {
			t.Errorf("%s: the error tells %+v", url, *blocked)
		}
		if providers.KindOf(err) != providers.Blocked || !strings.Contains(err.Error(), "the setting egress-allow") {
			t.Errorf("%s: kind %q of %v", url, providers.KindOf(err), err)
		}
	}
	if len(contacted) != 0 {
		t.Fatal("a blocked server was contacted")
	}
	loopback, _ := ParseAllow("127.0.0.0/8")
	if err := get(Policy{Allow: loopback}, plain.URL); err != nil {
		t.Fatal(err)
	}
	if path := <-contacted; path != "/" || len(contacted) != 0 {
		t.Error("a redirect was followed")
	}
}

func get(p Policy, url string) error {
	client := p.Client()
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(limits.For(context.Background(), limits.Read), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func TestPlainHTTP(t *testing.T) {
	t.Parallel()
	public, private := netip.MustParseAddr("1.1.1.1"), netip.MustParseAddr("10.0.0.1")
	allow, _ := ParseAllow("10.0.0.0/8")
	for _, c := range []struct {
		policy Policy
		addr   netip.Addr
		ok     bool
	}{
		{Policy{}, public, false},
		{Policy{Allow: allow}, public, false},
		{Policy{AllowHTTP: true}, public, true},
		{Policy{AllowHTTP: true}, private, false},
		{Policy{Allow: allow}, private, true},
	} {
		if err := c.policy.CheckHTTP(c.addr); (err == nil) != c.ok {
			t.Errorf("%+v to %s: %v", c.policy, c.addr, err)
		}
	}
}

// A proxy of the environment would resolve names itself, past the
// policy.
func TestClientIgnoresProxy(t *testing.T) {
	t.Parallel()
	g := Policy{}.transport()
	if g.http.Proxy != nil || g.https.Proxy != nil {
		t.Error("a proxy is used")
	}
	if g.https.MaxResponseHeaderBytes != limits.MaxHeader || g.http.MaxResponseHeaderBytes != limits.MaxHeader {
		t.Error("the headers of answers are not bounded")
	}
	if g.https.MaxConnsPerHost != maxConns || g.https.Protocols.HTTP2() || !g.https.DisableCompression {
		t.Error("the transport is not tuned")
	}
}
