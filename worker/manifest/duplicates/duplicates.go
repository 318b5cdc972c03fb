// Package duplicates finds entries whose objects have the same content,
// by ETag and size.
//
// It knows names, ETags and sizes in lines, and nothing of buckets. The
// caller must know that equal ETags mean equal content: on S3 they do,
// elsewhere an ETag may only tell the versions of one object apart.
package duplicates

import (
	"bytes"
	"cmp"
	"context"
	"hash/fnv"
	"iter"
	"slices"

	"github.com/stevedore-jobs/stevedore/tasks/results"
	"github.com/stevedore-jobs/stevedore/worker/memory"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

const (
	maxGroups = 20 // that a result names
	maxKeys   = 5  // of a group that a result names
	markSize  = 16 // bytes of memory
	lineWork  = 64 // steps of a line beside its bytes
)

// Object is what a line says about its object.
type Object struct {
	Key  string
	ETag string // empty if the line has none
	Size int64
}

// Lines are the lines of a manifest without its head.
type Lines struct {
	// Pieces yields the lines in pieces that end with a line. It may be
	// ranged over again and yields the same lines each time.
	Pieces iter.Seq2[[]byte, error]
	Count  int64 // lines
	// Object returns what a line says; each key is in one line.
	Object func(line []byte) (Object, error)
}

// Find returns the duplicates among the lines, or nil if there are
// none. It takes 16 bytes of the budget a line. If that is more than the
// budget allows beside another share, it reads the lines several times
// and looks at a part of them each time.
//
// ETags are compared by a hash of 64 bits, so that the counts may be too
// high by one in a thousand million jobs.
func Find(ctx context.Context, l Lines, budget *memory.Budget) (*results.Duplicates, error) {
	room := min(budget.LargestBeside(), max(l.Count, 1)*markSize)
	share, err := budget.ClaimBeside(room)
	if err != nil {
		return nil, err
	}
	defer share.Release()
	if err := share.Grow(ctx, room); err != nil {
		return nil, err
	}

	found := &results.Duplicates{}
	var largest []group
	s := search{l, make([]mark, 0, room/markSize)}
	rounds := rounds(l.Count*markSize, room)
	for round := range rounds {
		if largest, err = s.round(ctx, round, rounds, found, largest); err != nil {
			return nil, err
		}
	}
	if found.Groups == 0 {
		return nil, nil
	}
	found.Largest, err = s.name(ctx, largest)
	return found, err
}

// rounds returns how many rounds it takes to look at marks of size
// bytes. The marks are spread over the rounds by chance, so a quarter of
// the room is left for rounds with more of them.
func rounds(size, room int64) uint64 {
	if size <= room {
		return 1
	}
	return uint64(size/(room-room/4) + 1)
}

// mark stands for an object; those of the same content have the same.
type mark struct {
	hash uint64
	size int64
}

func markOf(o Object) mark {
	h := fnv.New64a()
	_, _ = h.Write([]byte(o.ETag))
	return mark{h.Sum64(), o.Size}
}

func compare(a, b mark) int {
	return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.size, b.size))
}

// group is a set of entries with the same mark.
type group struct {
	mark
	entries int64
}

// search finds duplicates in lines.
type search struct {
	Lines
	marks []mark // of one round; its capacity is what was acquired
}

// each calls do for each object with an ETag.
func (s search) each(ctx context.Context, do func(o Object)) error {
	var work steps.Counter
	for piece, err := range s.Pieces {
		if err != nil {
			return err
		}
		for line := range bytes.Lines(piece) {
			if err := work.Add(ctx, lineWork+len(line)); err != nil {
				return err
			}
			o, err := s.Object(line)
			if err != nil {
				return err
			}
			if o.ETag != "" {
				do(o)
			}
		}
	}
	return nil
}

// round counts the duplicates among the objects that belong to a round.
// It returns the largest groups of all rounds so far.
func (s search) round(
	ctx context.Context, round, rounds uint64, found *results.Duplicates, largest []group,
) ([]group, error) {
	marks := s.marks[:0]
	err := s.each(ctx, func(o Object) {
		// Only objects that were chosen for it can be too many for a
		// round. The rest of them is left out.
		if m := markOf(o); m.hash%rounds == round && len(marks) < cap(marks) {
			marks = append(marks, m)
		}
	})
	if err == nil {
		err = steps.Sort(ctx, marks, compare)
	}
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(marks); {
		same := i + 1
		for same < len(marks) && marks[same] == marks[i] {
			same++
		}
		if n := int64(same - i); n > 1 {
			found.Groups++
			found.Entries += n
			found.Bytes += (n - 1) * marks[i].size
			largest = insert(largest, group{marks[i], n})
		}
		i = same
	}
	return largest, nil
}

// insert adds a group if it is among the largest. Groups of the same
// size have the order of their marks, so that the same lines give the
// same result.
func insert(largest []group, g group) []group {
	at, _ := slices.BinarySearchFunc(largest, g, func(a, b group) int {
		return cmp.Or(cmp.Compare(b.entries, a.entries), compare(a.mark, b.mark))
	})
	if at >= maxGroups {
		return largest
	}
	largest = slices.Insert(largest, at, g)
	return largest[:min(len(largest), maxGroups)]
}

// name returns the groups with the first of their keys.
func (s search) name(ctx context.Context, largest []group) ([]results.DuplicateGroup, error) {
	at := make(map[mark]int, len(largest))
	groups := make([]results.DuplicateGroup, len(largest))
	for i, g := range largest {
		at[g.mark] = i
		groups[i] = results.DuplicateGroup{Entries: g.entries, Size: g.size}
	}
	err := s.each(ctx, func(o Object) {
		i, ok := at[markOf(o)]
		if !ok || len(groups[i].Keys) == maxKeys {
			return
		}
		groups[i].ETag = o.ETag
		groups[i].Keys = append(groups[i].Keys, o.Key)
	})
	return groups, err
}
