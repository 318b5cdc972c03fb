package headtest

import (
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// Budget is how much a format may read of an object, whatever its
// header says.
type Budget struct {
	Reads int
	Bytes int64
}

// The budgets of the formats. A format that walks over segments, boxes
// or directories stops with its source, after 512 reads.
var (
	OneRead = Budget{Reads: 1, Bytes: 4 << 10}
	Walk    = Budget{Reads: 512, Bytes: 33 << 20}
)

// claims replace bytes of a header: the largest sizes, and those whose
// sign is wrong.
var claims = []string{
	"\xff", "\xff\xff", "\xff\xff\xff\xff", "\x7f\xff\xff\xff", "\xff\xff\xff\x7f",
	"\x7f\xff\xff\xff\xff\xff\xff\xff", "\xff\xff\xff\xff\xff\xff\xff\x7f",
	"\xff\xff\xff\xff\xff\xff\xff\xff",
}

// numbers replace the numbers of a header that is text.
var numbers = []string{"4294967295", "9223372036854775807", "99999999999999999999"}

var digits = regexp.MustCompile(`[0-9]+`)

// Claims puts the largest sizes at each place of the headers, in an
// object of 1 TiB that has zeros behind the header. The format must stay
// within the budget, must allocate no more than it has read and a little,
// and must give a possible head or an *head.Error. Do not call it in a
// parallel test: others would allocate at the same time.
func Claims(t *testing.T, f head.Format, b Budget, heads ...string) {
	t.Helper()
	zeros := make([]byte, maxAtOnce)
	heads = append(Heads(t, f), heads...)
	if len(heads) == 0 {
		t.Fatalf("%s: no headers", f.Type)
	}
	for _, text := range heads {
		for at := 0; at < min(len(text), 400); at += 1 + at/32 {
			for _, claim := range claimsFor(text) {
				data := []byte(text)
				copy(data[at:], claim)
				claimOnce(t, f, b, &object{t: t, data: data, zeros: zeros, size: 1 << 40})
			}
		}
		for _, place := range digits.FindAllStringIndex(text[:min(len(text), 400)], -1) {
			for _, claim := range numbers {
				data := []byte(text[:place[0]] + claim + text[place[1]:])
				claimOnce(t, f, b, &object{t: t, data: data, zeros: zeros, size: 1 << 40})
			}
		}
	}
}

// claimsFor returns the claims for a header. One is enough for text, in
// which digits make the sizes.
func claimsFor(header string) []string {
	if strings.IndexByte(header[:min(len(header), 64)], 0) < 0 {
		return claims[2:3]
	}
	return claims
}

// maxExtra is how many bytes a format may allocate more than it reads.
const maxExtra = 128 << 10

func claimOnce(t *testing.T, f head.Format, b Budget, o *object) {
	t.Helper()
	if !o.matches(f) {
		return
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	h, err := f.Read(head.NewSource(o.fetch, o.size, f.FirstRead))
	runtime.ReadMemStats(&after)
	check(t, f.Type, h, err)
	if o.reads > b.Reads || o.bytes > b.Bytes {
		t.Errorf("%s: %d reads of %d bytes; the header is %.80q", f.Type, o.reads, o.bytes, o.data)
	}
	if n := int64(after.TotalAlloc - before.TotalAlloc); n > 2*o.bytes+maxExtra {
		t.Errorf("%s: it allocates %d bytes, and has read %d; the header is %.80q",
			f.Type, n, o.bytes, o.data)
	}
}
