package network

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const bucketFine = "resolve ok, egress ok, connect ok, tls skipped, clock ok, "

// plainServer starts a server whose clock is wrong by off.
func plainServer(t testing.TB, off time.Duration) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().UTC().Add(off).Format(http.TimeFormat))
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// closedPort returns an address where nothing listens.
func closedPort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// One fault on the way to the sign-in server is one failed check,
// which names the server and who chose it.
func TestDiagnose_SignIn_Faults(t *testing.T) {
	t.Parallel()
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(untrusted.Close)
	silent := listener(t, func(c net.Conn) { _ = c.Close() })
	// A label has at most 63 letters, so no DNS server is asked.
	unknown, closed := strings.Repeat("x", 64)+".example", closedPort(t)
	for name, c := range map[string]struct{ url, code, evidence, fix string }{
		"not a URL":        {"sts.example", "InvalidEndpoint", "", "Write the endpoint"},
		"does not resolve": {"https://" + unknown, "NoSuchHost", unknown, "letter by letter"},
		"blocked":          {"https://10.1.2.3", "EgressBlocked", "10.1.2.3 is refused (private network)", "add 10.1.2.3/32 to the setting egress-allow"},
		"refuses":          {"http://" + closed, "ConnectionRefused", closed, "Check the port"},
		"untrusted":        {untrusted.URL, "UnknownAuthority", "127.0.0.1: tls: ", "SSL_CERT_FILE"},
		"no TLS":           {"https://" + silent, "TLSFailed", silent, "Check the port"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checks := loopback(t).Diagnose(t.Context(), plainServer(t, 0), providers.SignIn{URL: c.url + "/path?sig=secret", Source: "is the operator's"})
			if got, want := brief(checks), bucketFine+"sign-in fail "+c.code; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			wantCheck(t, only(t, checks), c.evidence, c.fix)
			wantCheck(t, only(t, checks), "", " The sign-in endpoint is the operator's.")
			if last := checks[len(checks)-1]; strings.Contains(last.Evidence+last.Fix, "secret") {
				t.Errorf("%+v", last)
			}
		})
	}
}

func TestDiagnose(t *testing.T) {
	t.Parallel()
	bucket := plainServer(t, 0)
	byName := strings.Replace(plainServer(t, 0), "127.0.0.1", "localhost", 1)
	fast := strings.Replace(bucketFine, "clock ok", "clock warn ClockSkew", 1)
	for name, c := range map[string]struct{ bucket, signIn, want string }{
		"no sign-in":           {bucket, "", strings.TrimSuffix(bucketFine, ", ")},
		"the bucket's server":  {bucket, bucket + "/token", strings.TrimSuffix(bucketFine, ", ")},
		"the same, other case": {byName, strings.ToUpper(byName), strings.TrimSuffix(bucketFine, ", ")},
		"all good":             {bucket, plainServer(t, 0), bucketFine + "sign-in ok"},
		"its clock":            {bucket, plainServer(t, time.Hour), bucketFine + "sign-in warn ClockSkew"},
		"both clocks":          {plainServer(t, time.Hour), plainServer(t, time.Hour), fast + "sign-in ok"},
		"both unreachable":     {"https://" + closedPort(t), "https://" + closedPort(t), "resolve ok, egress ok, connect fail ConnectionRefused, tls skipped, clock skipped, sign-in skipped"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := brief(loopback(t).Diagnose(t.Context(), c.bucket, providers.SignIn{URL: c.signIn})); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// Another port is another server. The default port may be written or
// not.
func TestIsSameServer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"https://sts.example", "https://STS.example:443/path", true},
		{"http://sts.example:80", "http://sts.example", true},
		{"https://sts.example", "http://sts.example", false},
		{"https://sts.example", "https://sts.example:9000", false},
		{"https://a.example", "https://b.example", false},
	} {
		if isSameServer(c.a, c.b) != c.same {
			t.Errorf("%s, %s: %v", c.a, c.b, !c.same)
		}
	}
}

// Two warnings of one way are two checks, so that a user who ignores
// the first still sees the second.
func TestSignIn_SeveralWarnings(t *testing.T) {
	t.Parallel()
	way := []tasks.Check{
		{ID: "resolve", Status: tasks.CheckOK},
		{ID: "egress", Status: tasks.CheckWarn, Code: "EgressBlocked", Evidence: "an address is refused", Fix: "Allow it."},
		{ID: "tls", Status: tasks.CheckWarn, Code: "CertificateExpiresSoon"},
		{ID: "clock", Status: tasks.CheckUnknown, Code: "NoDate"},
	}
	checks := signInChecks(providers.SignIn{URL: "https://sts.example"}, way, nil)
	if got := brief(checks); got != "sign-in warn EgressBlocked, sign-in warn CertificateExpiresSoon" {
		t.Fatal(got)
	}
	if c := checks[0]; c.Evidence != "sts.example: an address is refused" || c.Fix != "Allow it." {
		t.Errorf("%+v", c)
	}
}
