package probe

import (
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers/azure/identity"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const signed = "&sv=2022-11-02&sig=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D"

// Tokens for reading and writing, inspected at the start of 2030.
func TestInspection(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	const delegated = "sr=c&sp=rwl&skoid=1&sktid=2&skv=2022-11-02&sks=b&skt=2029-12-31T00:00:00Z"
	for _, c := range []struct {
		token, service, want string // want is a status, a code and a part of the evidence
	}{
		{"ss=b&srt=co&sp=rwl&se=2030-02-01", "", "ok  valid until 2030-02-01T00:00:00Z (31 days)"},
		{"ss=b&srt=co&sp=rwl&se=2030-02-01T10:30Z", "", "ok  2030-02-01T10:30:00Z"},
		{"ss=b&srt=co&sp=rwl&se=2030-02-01T10:30:00.1234567Z", "", "ok  2030-02-01T10:30:00Z"},
		{"ss=b&srt=co&sp=rwl&se=2030-01-08", "", "ok  (7 days)"},
		{"ss=b&srt=co&sp=rwl&se=2030-01-07T23:59:59Z", "", "warn SASExpiresSoon in 6 days"},
		// The worker's clock may be wrong by some minutes. Only the
		// service can tell whether this token has expired.
		{"ss=b&srt=co&sp=rwl&se=2029-12-31T23:50:00Z", "", "warn SASExpiresSoon in 0 days"},
		{"ss=b&srt=co&sp=rwl&se=2029-12-31T23:40:00Z", "", "fail SASExpired the worker's clock says"},
		{"ss=b&srt=co&sp=rwl&st=2030-01-01T00:10:00Z&se=2030-02-01", "", "ok  whole"},
		{"ss=b&srt=co&sp=rwl&st=2030-01-01T00:20:00Z&se=2030-02-01", "", "fail SASNotYetValid valid from"},
		{"sr=c&si=team", "", `ok  stored access policy "team"`},
		{"sr=c&si=team&sp=r", "", `ok  stored access policy "team"`},
		{"sr=d&sp=rwl&se=2030-02-01", "", "ok  whole"},
		{"sr=bv&sp=rwl&se=2030-02-01", "", "fail SASResource single blob"},
		{"sp=rwl&se=2030-02-01", "", "fail SASMalformed neither"},
		{delegated + "&ske=2030-02-01T00:00:00Z&se=2030-03-01", "", "ok  valid until 2030-02-01T00:00:00Z"},
		{delegated + "&ske=2029-12-31T12:00:00Z&se=2030-03-01", "", "fail SASExpired 2029-12-31T12:00:00Z"},
		{"ss=b&srt=co&sp=rwl&se=2030-02-01&spr=https", "https://acct.blob.core.windows.net", "ok  whole"},
		{"ss=b&srt=co&sp=rwl&se=2030-02-01&spr=https", "http://127.0.0.1:1/acct", "fail SASProtocol https only"},
		{"ss=b&srt=co&sp=rwl&se=2030-02-01&sip=203.0.113.7", "", "warn SASAddressRange 203.0.113.7"},
		{"ss=b&srt=co&sp=rcl&se=2030-02-01", "", "warn SASCreateOnly never replace"},
	} {
		token, err := identity.ParseSAS("auth.sas_token", c.token+signed)
		if err != nil {
			t.Fatal(err)
		}
		got := inspection{sas: token, need: tasks.Need{Read: true, Write: true}, service: c.service, now: now}.check()
		status, rest, _ := strings.Cut(c.want, " ")
		code, evidence, _ := strings.Cut(rest, " ")
		if string(got.Status) != status || got.Code != code || !strings.Contains(got.Evidence, evidence) {
			t.Errorf("%s: got %+v, want %s", c.token, got, c.want)
		}
	}
}
