package duplicates_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/tasks/results"
	"github.com/stevedore-jobs/stevedore/worker/manifest/duplicates"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// lines has lines of the form "key etag size".
func lines(all []string) duplicates.Lines {
	var pieces iter.Seq2[[]byte, error] = func(yield func([]byte, error) bool) {
		for some := range slices.Chunk(all, 3) {
			if !yield([]byte(strings.Join(some, "\n")+"\n"), nil) {
				return
			}
		}
	}
	object := func(line []byte) (duplicates.Object, error) {
		part := strings.Split(strings.TrimSuffix(string(line), "\n"), " ")
		if len(part) != 3 {
			return duplicates.Object{}, errors.New("no object")
		}
		size, err := strconv.ParseInt(part[2], 10, 64)
		return duplicates.Object{Key: part[0], ETag: part[1], Size: size}, err
	}
	return duplicates.Lines{Pieces: pieces, Count: int64(len(all)), Object: object}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines []string
		want  *results.Duplicates
	}{
		"no lines":      {nil, nil},
		"no duplicates": {[]string{"a 1 5", "b 2 5"}, nil},
		"other size":    {[]string{"a 1 5", "b 1 6"}, nil},
		"no ETag":       {[]string{"a  5", "b  5"}, nil},
		"two groups": {
			[]string{"a 1 5", "b 2 7", "c 1 5", "d 3 1", "e 2 7", "f 2 7"},
			&results.Duplicates{Groups: 2, Entries: 5, Bytes: 19, Largest: []results.DuplicateGroup{
				{Entries: 3, Size: 7, ETag: "2", Keys: []string{"b", "e", "f"}},
				{Entries: 2, Size: 5, ETag: "1", Keys: []string{"a", "c"}},
			}},
		},
		"few keys are named": {
			[]string{"a 1 1", "b 1 1", "c 1 1", "d 1 1", "e 1 1", "f 1 1"},
			&results.Duplicates{Groups: 1, Entries: 6, Bytes: 5, Largest: []results.DuplicateGroup{
				{Entries: 6, Size: 1, ETag: "1", Keys: []string{"a", "b", "c", "d", "e"}},
			}},
		},
	} {
		got, err := duplicates.Find(t.Context(), lines(c.lines), memory.New(1<<20))
		if err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// Little memory costs rounds and changes no result: only the 20 largest
// groups are named, and the first of them is the largest.
func TestFind_InRounds(t *testing.T) {
	t.Parallel()
	var all []string
	for i := range 3000 {
		for n := range 1 + i%3 {
			all = append(all, fmt.Sprintf("%d-%d %d 10", i, n, i))
		}
	}
	for n := range 30 {
		all = append(all, fmt.Sprintf("x%d x 10", n))
	}
	var first *results.Duplicates
	for _, limit := range []int64{1 << 20, 40_000} {
		budget := memory.New(limit)
		got, err := duplicates.Find(t.Context(), lines(all), budget)
		if err != nil {
			t.Fatal(err)
		}
		if got.Groups != 2001 || got.Entries != 5030 || got.Bytes != 30290 || len(got.Largest) != 20 || got.Largest[0].Entries != 30 {
			t.Errorf("with %d bytes: %+v", limit, got)
		}
		if first == nil {
			first = got
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("with %d bytes:\n%s", limit, diff)
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
	if _, err := duplicates.Find(t.Context(), lines([]string{"a"}), memory.New(1<<20)); err == nil {
		t.Error("a line without an object is no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := duplicates.Find(ctx, lines(slices.Repeat([]string{"a 1 1"}, 10_000)), memory.New(1<<20)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
