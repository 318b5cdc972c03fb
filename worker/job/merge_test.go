package job_test

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

var errBroken = errors.New("broken")

// before returns the key of a test's line: the text before the equals
// sign.
func before(line []byte) (string, error) {
	key, _, ok := bytes.Cut(line, []byte("="))
	if !ok {
		return "", errBroken
	}
	return string(key), nil
}

func pieces(text ...string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, s := range text {
			if !yield([]byte(s), nil) {
				return
			}
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		head             int
		old, added, want string
		lines            int64
	}{
		"nothing":              {0, "", "", "", 0},
		"only old":             {0, "a=1\nc=1\n", "", "a=1\nc=1\n", 2},
		"only added":           {0, "", "a=2\nb=2\n", "a=2\nb=2\n", 2},
		"before, between, end": {0, "b=1\nd=1\n", "a=2\nc=2\ne=2\n", "a=2\nb=1\nc=2\nd=1\ne=2\n", 5},
		"replaces an old one":  {0, "a=1\nb=1\nc=1\n", "a=2\nc=2\n", "a=2\nb=1\nc=2\n", 3},
		"twice the same":       {0, "a=1\na=3\nb=1\n", "b=2\nb=4\nc=2\n", "a=1\nb=2\nc=2\n", 3},
		"a head":               {2, "x\ny\nb=1\n", "a=2\n", "x\ny\na=2\nb=1\n", 2},
		"only a head":          {2, "x\ny\n", "a=2\n", "x\ny\na=2\n", 1},
		"no last newline":      {0, "a=1\nb=1", "c=2\n", "a=1\nb=1\nc=2\n", 3},
		"bytes, not letters":   {0, "B=1\na=1\n\xff=1\n", "a!=2\né=2\n", "B=1\na=1\na!=2\né=2\n\xff=1\n", 5},
		"an empty key":         {0, "=1\na=1\n", "=2\n", "=2\na=1\n", 2},
	} {
		var got strings.Builder
		merged, err := job.Merge{Head: c.head, Key: before}.Write(&got, strings.NewReader(c.old), pieces(c.added))
		want := job.MergeResult{Lines: c.lines, Size: int64(len(c.want))}
		if err != nil || got.String() != c.want || merged != want {
			t.Errorf("%s: %q, %+v, %v", name, got.String(), merged, err)
		}
	}
}

func TestMerge_Refuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		old, added   string
		notMergeable bool // the old lines are wrong
	}{
		"old lines out of order":         {"x\nb=1\na=1\n", "", true},
		"an old line without a key":      {"x\na=1\noops\n", "", true},
		"an empty old line":              {"x\na=1\n\nb=1\n", "", true},
		"an old line that is too long":   {"x\na=" + strings.Repeat("1", 1<<20) + "\n", "", true},
		"no head":                        {"", "", true},
		"a line in the head's place":     {"a=1\nb=1\n", "", true},
		"added lines out of order":       {"x\n", "b=1\na=1\n", false},
		"an added line without a key":    {"x\n", "oops\n", false},
		"an old line after an added one": {"x\na=1\noops\n", "b=1\n", true},
	} {
		_, err := job.Merge{Head: 1, Key: before}.Write(io.Discard, strings.NewReader(c.old), pieces(c.added))
		if err == nil || errors.Is(err, job.ErrNotMergeable) != c.notMergeable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMerge_Fails(t *testing.T) {
	t.Parallel()
	m, old, added := job.Merge{Head: 1, Key: before}, "x\na=1\nc=1\n", pieces("b=2\n")
	lost := func(yield func([]byte, error) bool) { yield(nil, errBroken) }
	if _, err := m.Write(io.Discard, strings.NewReader(old), lost); !errors.Is(err, errBroken) {
		t.Errorf("the added lines fail: %v", err)
	}
	for n := range len(old) {
		broken := io.MultiReader(strings.NewReader(old[:n]), iotest.ErrReader(errBroken))
		if _, err := m.Write(io.Discard, broken, added); !errors.Is(err, errBroken) {
			t.Errorf("reading fails after %d bytes: %v", n, err)
		}
	}
	for n := range 4 {
		if _, err := m.Write(&failing{after: n}, strings.NewReader(old), added); !errors.Is(err, errBroken) {
			t.Errorf("writing fails after %d lines: %v", n, err)
		}
	}
}

type failing struct{ after int }

func (f *failing) Write(p []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

// A merge gives what a map from key to line would give, and merging
// again changes nothing.
func TestMerge_EqualsAMap(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		old, added := map[string]string{}, map[string]string{}
		for range r.IntN(20) {
			old[key3(r)] = "old"
		}
		for range r.IntN(20) {
			added[key3(r)] = "new"
		}
		var cut []string // at random, at the ends of lines
		for line := range strings.Lines(text3(added)) {
			if len(cut) == 0 || r.IntN(2) == 0 {
				cut = append(cut, "")
			}
			cut[len(cut)-1] += line
		}
		all := maps.Clone(old)
		maps.Copy(all, added)
		from := text3(old)
		for range 2 {
			var got strings.Builder
			merged, err := job.Merge{Key: before}.Write(&got, iotest.OneByteReader(strings.NewReader(from)), pieces(cut...))
			if diff := cmp.Diff(text3(all), got.String()); diff != "" || err != nil || merged.Lines != int64(len(all)) {
				t.Fatalf("seed %d: %+v, %v\n%s", seed, merged, err, diff)
			}
			from = got.String()
		}
	}
}

func key3(r *rand.Rand) string {
	return string([]byte{'a' + byte(r.IntN(4)), "/.aé\xff"[r.IntN(6)], 'a' + byte(r.IntN(4))})
}

func text3(lines map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(lines)) {
		b.WriteString(k + "=" + lines[k] + "\n")
	}
	return b.String()
}

func FuzzMerge(f *testing.F) {
	f.Add("x\na=1\nb=1\n", "a=2\nc=2\n")
	f.Add("x\na=1\na=2", "")
	f.Fuzz(func(t *testing.T, old, added string) {
		if added != "" && !strings.HasSuffix(added, "\n") {
			return
		}
		m := job.Merge{Head: 1, Key: before}
		var once, again strings.Builder
		merged, err := m.Write(&once, strings.NewReader(old), pieces(added))
		if err != nil {
			return
		}
		if merged.Size != int64(once.Len()) || merged.Lines != int64(strings.Count(once.String(), "\n"))-1 {
			t.Fatalf("%q: %+v", once.String(), merged)
		}
		if _, err := m.Write(&again, strings.NewReader(once.String()), pieces(added)); err != nil || again.String() != once.String() {
			t.Fatalf("%q, and again %q, %v", once.String(), again.String(), err)
		}
		for line := range strings.Lines(added) {
			if key, _ := before([]byte(line)); !strings.Contains("\n"+once.String(), "\n"+key+"=") {
				t.Fatalf("%q lacks %q", once.String(), line)
			}
		}
	})
}

var merge = job.Merge{Head: 1, Key: before}

func TestAmend(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	b := open(t, w)
	w.Put(t, "k", "x\na=1\nc=1\n")
	for _, unchanged := range []bool{false, true} {
		a, err := merge.Amend(t.Context(), b, "k", "text/plain", pieces("b=2\n"))
		if err != nil || a.Unchanged != unchanged || a.Lines != 3 || a.Size != 14 || w.Get(t, "k") != "x\na=1\nb=2\nc=1\n" {
			t.Errorf("%+v, %v, %q", a, err, w.Get(t, "k"))
		}
	}
}

// If the object changes meanwhile, Amend merges once more into the new
// version.
func TestAmend_TwiceAtOnce(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"x\na=1\nb=2\nc=1\n": "x\na=1\nb=2\nc=1\n", // the same lines were put in
		"x\na=7\nd=7\n":      "x\na=7\nb=2\nd=7\n",
	} {
		for _, at := range []string{"get", "put"} {
			w := jobtest.New()
			w.Put(t, "k", "x\na=1\nc=1\n")
			w.Fail = func(op, _ string) error {
				if op == at {
					w.Fail = nil
					w.Put(t, "k", content)
				}
				return nil
			}
			if _, err := merge.Amend(t.Context(), open(t, w), "k", "text/plain", pieces("b=2\n")); err != nil || w.Get(t, "k") != want {
				t.Errorf("at %s: %v, %q", at, err, w.Get(t, "k"))
			}
		}
	}
}

// If the object changes each time, Amend gives up.
func TestAmend_ConflictTwice(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	w.Put(t, "k", "x\na=1\n")
	n := 0
	w.Fail = func(op, _ string) error {
		if op == "put" {
			n++
			w.Put(t, "k", "x\na=1\n"+strings.Repeat("b=1\n", n))
		}
		return nil
	}
	if _, err := merge.Amend(t.Context(), open(t, w), "k", "text/plain", pieces("b=2\n")); !errors.Is(err, providers.Conflict) {
		t.Errorf("got %v", err)
	}
}

func TestAmend_NothingToAmend(t *testing.T) {
	t.Parallel()
	for content, kind := range map[string]providers.Kind{"": providers.NotFound, "someone's\ntext": providers.Invalid} {
		w := jobtest.New()
		if content != "" {
			w.Put(t, "k", content)
		}
		_, err := merge.Amend(t.Context(), open(t, w), "k", "text/plain", pieces("b=2\n"))
		if e := jobtest.WantKind(t, err, kind); !strings.Contains(e.Advice(), "Enqueue the job anew") {
			t.Errorf("%q: %s", content, e.Advice())
		}
		if puts := w.Ops("put"); content != "" && (len(puts) > 0 || w.Get(t, "k") != content) {
			t.Errorf("%q: %v", content, puts)
		}
	}
}

// If the object vanishes at any moment, or reads are denied, Amend
// never stores the added lines alone.
func TestAmend_NeverStoresTheAddedLinesAlone(t *testing.T) {
	t.Parallel()
	for _, kind := range []providers.Kind{providers.NotFound, providers.Denied, providers.Unavailable} {
		for n := range 4 {
			w := jobtest.New()
			w.Put(t, "k", "x\na=1\n")
			reads := 0
			w.Fail = func(op, key string) error {
				if op == "stat" || op == "get" {
					if reads++; reads > n {
						return &providers.Error{Op: op, Key: key, Kind: kind}
					}
				}
				return nil
			}
			_, err := merge.Amend(t.Context(), open(t, w), "k", "text/plain", pieces("b=2\n"))
			if got := w.Get(t, "k"); !errors.Is(err, kind) || got != "x\na=1\n" {
				t.Errorf("%s after %d reads: %v, %q", kind, n, err, got)
			}
		}
	}
}
