package linesort

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// key is what stands before the tab.
func key(line []byte) (string, error) {
	key, _, ok := strings.Cut(string(line), "\t")
	if !ok {
		return "", errors.New("no tab")
	}
	return key, nil
}

func pieces(lines []string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for some := range slices.Chunk(lines, 7) {
			piece := []byte(strings.Join(some, ""))
			if !yield(piece, nil) {
				return
			}
			clear(piece) // it was valid until here
		}
	}
}

func read(t *testing.T, l *Lines) []string {
	t.Helper()
	var all bytes.Buffer
	for piece, err := range l.Pieces(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all.Write(piece)
	}
	return slices.Collect(strings.Lines(all.String()))
}

// The lines are sorted in memory or in a file, and are the same.
func TestSort(t *testing.T) {
	var want []string
	for i, name := range []string{"", "a", "a-b/", "a.jpg", "a/", "ｆ（１）", "😀"} {
		for n := range 400 {
			want = append(want, fmt.Sprintf("%s%05d\t%d\n", name, n, i))
		}
	}
	slices.Sort(want)
	mixed := slices.Clone(want)
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	for i := range 100 { // keys that come twice: the first line counts
		name, _, _ := strings.Cut(mixed[i], "\t")
		mixed = append(mixed, name+"\tagain\n")
	}
	for name, c := range map[string]struct {
		lines  []string
		memory int
		file   bool
	}{
		"none":            {nil, 0, false},
		"in order":        {want, 1, false},
		"in memory":       {mixed, 0, false},
		"in two parts":    {mixed, 200_000, true},
		"in many parts":   {mixed, 5_000, true},
		"a line, a part":  {mixed[:300], 1, true},
		"the same key":    {slices.Repeat(want[:1], 5), 0, false},
		"all keys twice":  {slices.Concat(want, want), 0, false},
		"twice, in parts": {slices.Concat(want, want), 50_000, true},
	} {
		dir := t.TempDir()
		t.Setenv("TMPDIR", dir)
		l, err := Sorter{Key: key, Budget: memory.New(64 << 20), Memory: c.memory}.Sort(t.Context(), pieces(c.lines))
		if err != nil {
			t.Fatal(name, err)
		}
		first := map[string]bool{}
		expected := slices.DeleteFunc(slices.Clone(c.lines), func(line string) bool {
			k, _ := key([]byte(line))
			again := first[k]
			first[k] = true
			return again
		})
		slices.Sort(expected)
		for range 2 {
			if got := read(t, l); !slices.Equal(got, expected) {
				t.Errorf("%s: %d lines, want %d", name, len(got), len(expected))
			}
		}
		if size := len(strings.Join(expected, "")); l.Count != int64(len(expected)) || l.Size != int64(size) {
			t.Errorf("%s: %d lines of %d bytes, want %d of %d", name, l.Count, l.Size, len(expected), size)
		}
		if err := l.Close(); err != nil {
			t.Error(name, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v, %v", name, left, err)
		}
	}
}

// Whatever fails, no file stays behind.
func TestSort_Fails(t *testing.T) {
	lines := []string{"b\t\n", "a\t\n", "d\t\n", "c\t\n"}
	broken := errors.New("broken")
	failing := func(yield func([]byte, error) bool) {
		_ = yield([]byte("b\t\na\t\n"), nil) && yield(nil, broken)
	}
	cancelled, cancel := context.WithCancelCause(t.Context())
	cancel(broken)
	many := slices.Repeat(lines, 1000)
	for name, c := range map[string]struct {
		ctx    context.Context
		pieces iter.Seq2[[]byte, error]
		want   string
	}{
		"the lines fail":     {t.Context(), failing, "broken"},
		"a line has no key":  {t.Context(), pieces(append(slices.Clone(lines), "e\n")), "line 5: no tab"},
		"the context ends":   {cancelled, pieces(many), "broken"},
		"no temporary files": {t.Context(), pieces(lines), "TMPDIR"},
	} {
		dir := t.TempDir()
		t.Setenv("TMPDIR", dir)
		if name == "no temporary files" {
			t.Setenv("TMPDIR", dir+"/missing")
		}
		_, err := Sorter{Key: key, Budget: memory.New(64 << 20), Memory: 1}.Sort(c.ctx, c.pieces)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v, %v", name, left, err)
		}
	}
}

func TestLines_EndWithTheirContext(t *testing.T) {
	t.Parallel()
	var lines []string
	for i := range 3000 {
		lines = append(lines, fmt.Sprintf("%05d\t\n", 9000-i))
	}
	l, err := Sorter{Key: key, Budget: memory.New(64 << 20), Memory: 20_000}.Sort(t.Context(), pieces(lines))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	var last error
	for _, err := range l.Pieces(ctx) {
		n++
		last = err
	}
	if n > 200 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d lines, %v", n, last)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// A million lines take a few times the memory of a part, whatever their
// size.
func BenchmarkSort(b *testing.B) {
	var lines []string
	for i := range 100_000 {
		lines = append(lines, fmt.Sprintf("%07d/image.jpg\t%s\n", (i*7919)%100_003, strings.Repeat("x", 100)))
	}
	b.ReportAllocs()
	for b.Loop() {
		l, err := Sorter{Key: key, Budget: memory.New(64 << 20), Memory: 1 << 20}.Sort(b.Context(), pieces(lines))
		if err != nil || l.Count != 100_000 {
			b.Fatal(err)
		}
		_ = l.Close()
	}
}

// The memory is held from the sort until the lines are closed. Lines
// that are in order take none.
func TestSort_DrawsOnTheBudget(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	b := memory.New(limit)
	for text, free := range map[string]bool{"a\t1\nb\t2\n": true, "b\t1\na\t2\n": false} {
		l, err := Sorter{Key: key, Budget: b}.Sort(t.Context(), pieces([]string{text}))
		if err != nil {
			t.Fatal(err)
		}
		release, ok := b.TryAcquire(limit / 2)
		if ok != free {
			t.Errorf("%q: half of the budget is free: %t", text, ok)
		}
		release()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if release, ok := b.TryAcquire(b.Largest()); !ok {
			t.Errorf("%q: something is held after Close", text)
		} else {
			release()
		}
	}
}
