package natsort

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/deploy/oracles"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// sorted sorts names as natsort does: those with equal keys keep
// their order.
func sorted(names []string) []string {
	keys := make(map[string]string, len(names))
	for _, name := range names {
		keys[name] = Key(name)
	}
	return slices.SortedStableFunc(slices.Values(names), func(a, b string) int {
		return keyorder.Bytes.Compare(keys[a], keys[b])
	})
}

func TestKey_EqualsCVATsVectors(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/cvat.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct{ Input, Natural []string }
	if err := json.Unmarshal(data, &v); err != nil || len(v.Input) < 54 {
		t.Fatal(len(v.Input), err)
	}
	if diff := cmp.Diff(v.Natural, sorted(v.Input)); diff != "" {
		t.Error(diff)
	}
}

// Each line is sorted already; names with a "=" between them have
// equal keys. All values are natsort's.
func TestKey_Rules(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"1.jpg = 01.jpg = 001.jpg",
		"A.jpg = a.jpg = a.JPG",
		"ß.jpg = ss.jpg",
		"ı.jpg = I.jpg = i.jpg",
		"2.jpg 10.jpg 99999999999999999999.jpg 100000000000000000000.jpg a.jpg",
		"img1 img1. img1.2.jpg img1.10.jpg",
		"²1.jpg = ²01.jpg",
		"² ²3 12",
		"a.jpg a/b a/b/c a/b2",
		"x.png_y.png = x_y.png",
		"a.tar.gz a.tarballs.gz",
		"z é",
		"/a = ///a",
		"/a //a",
		"a/./b = a//b = a/b/",
	} {
		names := strings.Fields(line)
		for i := 0; i+1 < len(names); i++ {
			a, b, want := names[i], names[i+1], -1
			if b == "=" {
				b, want = names[i+2], 0
				i++
			}
			if got := keyorder.Bytes.Compare(Key(a), Key(b)); got != want {
				t.Errorf("%q to %q: %d, want %d", a, b, got, want)
			}
		}
	}
}

// os_sorted is natsort's order of a JSON list of names. natsort
// refuses names with a NUL character.
const osSorted = `
import json, locale, sys
locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
from natsort import os_sorted
json.dump(os_sorted(json.load(sys.stdin)), sys.stdout)
`

func wantAsNatsort(t *testing.T, names []string) {
	t.Helper()
	in, err := json.Marshal(names)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	if err := json.Unmarshal(oracles.Run(t, osSorted, strings.NewReader(string(in))), &want); err != nil {
		t.Fatal(err)
	}
	got := sorted(names)
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("at %d: %q, natsort has %q", i, got[max(0, i-2):min(i+3, len(got))], want[max(0, i-2):min(i+3, len(got))])
		}
	}
}

// randomName returns a name that has what natsort treats in some
// special way, often.
func randomName(r *rand.Rand) string {
	pieces := []string{
		"a", "B", "img", "IMG", "_", "-", "+", ".", ",", " ", "/", ".jpg", ".JPEG", ".tar", ".gz", "é", "e\u0301",
		"ß", "SS", "ı", "I", "İ", "ΐ", "Σ", "ς", "ǅ", "ﬃ", "²", "③", "٣", "０", "१", "𝟘", "画像", "😀", "..", "./", "//",
	}
	var name strings.Builder
	for range 1 + r.IntN(8) {
		if r.IntN(3) == 0 {
			fmt.Fprintf(&name, "%0*d", r.IntN(4), r.IntN(1200))
			continue
		}
		name.WriteString(pieces[r.IntN(len(pieces))])
	}
	return name.String()
}

func TestOracleOrder(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 2))
	names := make([]string, 20_000)
	for i := range names {
		names[i] = randomName(r)
	}
	wantAsNatsort(t, names)
}

// Each character that Python knows, in two names: digits of all
// scripts, and all letters that have another case. Those of
// scripts without digits and cases are left out.
func TestOracleCharacters(t *testing.T) {
	t.Parallel()
	const known = `
import json, sys, unicodedata
text = []
for c in range(1, 0x110000):
    name = unicodedata.name(chr(c), "")
    if name and not name.startswith(("CJK", "HANGUL SYLLABLE", "TANGUT", "NUSHU", "EGYPTIAN")):
        text += ["x" + chr(c), "5" + chr(c) + "5.jpg"]
json.dump(text, sys.stdout)
`
	var names []string
	if err := json.Unmarshal(oracles.Run(t, known, nil), &names); err != nil || len(names) < 50_000 {
		t.Fatal(len(names), err)
	}
	wantAsNatsort(t, names)
}

func FuzzKey(f *testing.F) {
	for _, s := range []string{"a1.jpg", "²³/0٣.tar.gz", "\x00a/\x00", "..", "/", ".a.", "e\u0301ı", "\xff"} {
		f.Add(s, s+"1")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := Key(a), Key(b)
		if x == y != (keyorder.Bytes.Compare(x, y) == 0) {
			t.Fatalf("%q and %q", a, b)
		}
		if a != b && strings.HasPrefix(x, y) && x != y {
			t.Fatalf("the key of %q begins with that of %q: %q, %q", a, b, x, y)
		}
		if limit := 20*len(a) + 64; len(x) > limit {
			t.Fatalf("the key of %q has %d bytes", a, len(x))
		}
	})
}

func BenchmarkKey(b *testing.B) {
	for b.Loop() {
		Key("dataset/part 7/camera_front/IMG_20240102_123456.jpg")
	}
}
