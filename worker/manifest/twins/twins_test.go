package twins_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/tasks/results"
	"github.com/stevedore-jobs/stevedore/worker/manifest/twins"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

func lines(names []string) twins.Lines {
	var pieces iter.Seq2[[]byte, error] = func(yield func([]byte, error) bool) {
		for some := range slices.Chunk(names, 3) {
			if !yield([]byte(strings.Join(some, "\n")+"\n"), nil) {
				return
			}
		}
	}
	return twins.Lines{Pieces: pieces, Count: int64(len(names)), Name: func(line []byte) (string, error) {
		return strings.TrimSuffix(string(line), "\n"), nil
	}}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		names []string
		want  *results.Twins
	}{
		"none":     {nil, nil},
		"one":      {[]string{"a"}, nil},
		"no twins": {[]string{"a/b", "a/c", "ab", "e", "é", "o\u0308x", "ox", "1", "١"}, nil},
		"case": {[]string{"A.jpg", "a.JPG", "b.jpg", "a.jpg"}, &results.Twins{
			Entries: 3, Groups: 1, Examples: [][]string{{"A.jpg", "a.JPG", "a.jpg"}},
		}},
		"form": {[]string{"e\u0301.jpg", "x", "é.jpg", "É.jpg", "ΣΑΣ", "σας"}, &results.Twins{
			Entries: 5, Groups: 2, Examples: [][]string{{"e\u0301.jpg", "é.jpg", "É.jpg"}, {"ΣΑΣ", "σας"}},
		}},
		"directories": {[]string{"A/x", "a/x", "a/y"}, &results.Twins{Entries: 2, Groups: 1, Examples: [][]string{{"A/x", "a/x"}}}},
	} {
		got, err := twins.Find(t.Context(), lines(c.names), memory.New(1<<20))
		if err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// Many twins in little memory: the counts are right, and the
// examples few.
func TestFind_InRounds(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 3000 {
		names = append(names, fmt.Sprintf("A%d", i), fmt.Sprintf("b%d", i))
		if i%3 == 0 {
			names = append(names, fmt.Sprintf("a%d", i))
		}
	}
	for _, limit := range []int64{40_000, 1 << 20} {
		budget := memory.New(limit)
		got, err := twins.Find(t.Context(), lines(names), budget)
		if err != nil {
			t.Fatal(err)
		}
		if got.Groups != 1000 || got.Entries != 2000 || len(got.Examples) != 20 || len(got.Examples[19]) != 2 {
			t.Errorf("with %d bytes: %d groups of %d, %d examples", limit, got.Groups, got.Entries, len(got.Examples))
		}
		if release, ok := budget.TryAcquire(budget.Largest()); !ok {
			t.Error("memory is held afterwards")
		} else {
			release()
		}
	}
}

func TestFind_Fails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	l := lines([]string{"a", "A"})
	l.Name = func([]byte) (string, error) { return "", broken }
	if _, err := twins.Find(t.Context(), l, memory.New(1<<20)); !errors.Is(err, broken) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(broken)
	if _, err := twins.Find(ctx, lines(slices.Repeat([]string{"a"}, 5000)), memory.New(1<<20)); !errors.Is(err, broken) {
		t.Error(err)
	}
}
