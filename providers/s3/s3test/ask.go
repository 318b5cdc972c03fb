package s3test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// ReadAll reads the key "k". With an error it returns what was read
// before.
func ReadAll(ctx context.Context, b providers.Bucket, opts providers.ReadOptions) (string, error) {
	r, err := b.Open(ctx, "k", opts)
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(r)
	return string(data), err
}

// CheckCount checks how many objects a bucket holds.
func CheckCount(t testing.TB, b providers.Bucket, want int) {
	t.Helper()
	n := 0
	for _, err := range b.List(t.Context(), providers.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != want {
		t.Errorf("the bucket holds %d objects, want %d", n, want)
	}
}

// AllNeeds asks for every check.
func AllNeeds() tasks.Need {
	return tasks.Need{Read: true, Write: true, Versions: true, KMS: true}
}

// Probe makes the checks of verify-connection, and returns them by ID.
// Each ID may come once, and each failure must have a code, evidence
// and a fix.
func Probe(t testing.TB, b providers.Bucket, need tasks.Need) map[string]tasks.Check {
	t.Helper()
	byID := map[string]tasks.Check{}
	for _, c := range providers.Probe(t.Context(), b, need) {
		if _, twice := byID[c.ID]; twice {
			t.Errorf("%s twice", c.ID)
		}
		byID[c.ID] = c
		if c.Status == tasks.CheckFail && (c.Code == "" || c.Fix == "" || c.Evidence == "") {
			t.Errorf("a failure without code, evidence or fix: %+v", c)
		}
	}
	return byID
}

// IsGood reports whether a check has found everything right. The buckets
// of the emulator keep no old versions, and that warning does not count.
func IsGood(c tasks.Check) bool {
	return c.Status == tasks.CheckOK || c.Code == "VersioningDisabled"
}

// CheckOneFailure makes all checks of verify-connection. Exactly one
// must fail, with the code and with words of the fix, and none may show
// a secret.
func CheckOneFailure(t testing.TB, b providers.Bucket, id, code, fix string) {
	t.Helper()
	checks := Probe(t, b, AllNeeds())
	c := checks[id]
	if c.Status != tasks.CheckFail || c.Code != code || !strings.Contains(c.Fix, fix) {
		t.Errorf("%s: %+v\nwant code %s, and %q in the fix", id, c, code, fix)
	}
	for _, c := range checks {
		if c.ID != id && c.Status == tasks.CheckFail {
			t.Errorf("%s failed too: %+v", c.ID, c)
		}
		text := fmt.Sprintf("%+v", c)
		if strings.Contains(text, "-secret") || strings.Contains(text, SessionToken) {
			t.Errorf("a secret is shown: %s", text)
		}
	}
}

// Listing returns S3's answer to a list request, with the given
// elements.
func Listing(elements string) string {
	return `<ListBucketResult><Name>b</Name>` + elements + `</ListBucketResult>`
}

// Entry returns the element of an object in a listing.
func Entry(key string) string {
	return `<Contents><Key>` + key + `</Key><Size>1</Size></Contents>`
}

// WriteError answers as S3 does for an error.
func WriteError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+
		`<Error><Code>%s</Code><Message>%s</Message>`+
		`<RequestId>4442587FB7D0A2F9</RequestId><HostId>aGVsbG8=</HostId></Error>`, code, message)
}
