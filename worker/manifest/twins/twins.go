// Package twins finds names that some tools take for the same: they
// differ only in case or in their Unicode form. CVAT and object
// stores tell them apart. File systems of Windows and macOS do not:
// there, an exported data set lacks one of the images.
//
// It knows names in lines, and nothing of buckets.
package twins

import (
	"bytes"
	"cmp"
	"context"
	"hash/fnv"
	"iter"
	"slices"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/stevedore-jobs/stevedore/tasks/results"
	"github.com/stevedore-jobs/stevedore/worker/memory"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

const (
	maxExamples = 20 // groups that a result names
	maxNames    = 5  // names of a group that a result names
	hashSize    = 8  // bytes
	lineWork    = 64 // steps of a line beside its bytes
)

// Lines are the lines of a manifest without its head.
type Lines struct {
	// Pieces yields the lines in pieces that end with a line. It
	// may be ranged over again and yields the same lines each time.
	Pieces iter.Seq2[[]byte, error]
	Count  int64 // lines
	// Name returns the name in a line; each name is in one line.
	Name func(line []byte) (string, error)
}

// Find returns the twins among the lines, or nil if there are none.
// It takes 8 bytes of the budget a line. If that is more than the
// budget allows beside another share, it reads the lines several
// times and looks at a part of the names each time.
//
// Names are compared by a hash of 64 bits, so that the counts may
// be too high by one in a thousand million jobs. Examples are
// compared themselves.
func Find(ctx context.Context, l Lines, budget *memory.Budget) (*results.Twins, error) {
	room := min(budget.LargestBeside(), max(l.Count, 1)*hashSize)
	share, err := budget.ClaimBeside(room)
	if err != nil {
		return nil, err
	}
	defer share.Release()
	if err := share.Grow(ctx, room); err != nil {
		return nil, err
	}

	found := &results.Twins{}
	var examples []uint64
	s := search{l, make([]uint64, 0, room/hashSize)}
	rounds := rounds(l.Count*hashSize, room)
	for round := range rounds {
		twins, err := s.round(ctx, round, rounds, found)
		if err != nil {
			return nil, err
		}
		examples = append(examples, twins[:min(len(twins), maxExamples-len(examples))]...)
	}
	if found.Groups == 0 {
		return nil, nil
	}
	found.Examples, err = s.names(ctx, examples)
	return found, err
}

// rounds returns how many rounds it takes to look at hashes of size
// bytes. The names are spread over the rounds by chance, so a
// quarter of the room is left for rounds with more of them.
func rounds(size, room int64) uint64 {
	if size <= room {
		return 1
	}
	return uint64(size/(room-room/4) + 1)
}

// search finds twins in lines.
type search struct {
	Lines
	hashes []uint64 // of one round; its capacity is what was acquired
}

// each calls do for each name.
func (s search) each(ctx context.Context, do func(name string)) error {
	var work steps.Counter
	for piece, err := range s.Pieces {
		if err != nil {
			return err
		}
		for line := range bytes.Lines(piece) {
			if err := work.Add(ctx, lineWork+len(line)); err != nil {
				return err
			}
			name, err := s.Name(line)
			if err != nil {
				return err
			}
			do(name)
		}
	}
	return nil
}

// round counts the twins among the names that belong to a round,
// and returns the hashes of some.
func (s search) round(
	ctx context.Context, round, rounds uint64, found *results.Twins,
) (twins []uint64, err error) {
	hashes := s.hashes[:0]
	err = s.each(ctx, func(name string) {
		// Only names that were chosen for it can be too many for a
		// round. The rest of them is left out.
		if h := hash(name); h%rounds == round && len(hashes) < cap(hashes) {
			hashes = append(hashes, h)
		}
	})
	if err == nil {
		err = steps.Sort(ctx, hashes, cmp.Compare[uint64])
	}
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(hashes); {
		same := i + 1
		for same < len(hashes) && hashes[same] == hashes[i] {
			same++
		}
		if n := same - i; n > 1 {
			found.Groups++
			found.Entries += int64(n)
			if len(twins) < maxExamples {
				twins = append(twins, hashes[i])
			}
		}
		i = same
	}
	return twins, nil
}

// names returns the names with these hashes, group by group, in the
// order of the lines.
func (s search) names(ctx context.Context, hashes []uint64) ([][]string, error) {
	groups := make(map[string][]string, len(hashes))
	var order []string
	err := s.each(ctx, func(name string) {
		if !slices.Contains(hashes, hash(name)) {
			return
		}
		same := fold(name)
		if groups[same] == nil {
			order = append(order, same)
		}
		if len(groups[same]) < maxNames {
			groups[same] = append(groups[same], name)
		}
	})
	var examples [][]string
	for _, same := range order {
		if len(groups[same]) > 1 && len(examples) < maxExamples {
			examples = append(examples, groups[same])
		}
	}
	return examples, err
}

// hash is equal for twins. It is the same in each process, so that
// the same lines give the same result.
func hash(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(fold(name)))
	return h.Sum64()
}

// fold removes what twins differ in.
func fold(name string) string {
	for i := range len(name) {
		if name[i] >= 0x80 {
			return norm.NFC.String(cases.Fold().String(norm.NFD.String(name)))
		}
	}
	return strings.ToLower(name)
}
