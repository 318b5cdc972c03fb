// Package linesort puts lines into the order of their keys by code
// points, with bounded memory.
//
// Not every bucket lists its keys in that order, but what jobs write is
// in it. Lines that are in order already are only read once more.
// Others are sorted in memory, or, if they are too many, in parts that
// are merged from a temporary file.
//
// It knows no job and no bucket.
package linesort

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/worker/memory"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// lineWork is how many steps a line takes beside its bytes.
const lineWork = 64

// defaultMemory is how many bytes a sorter uses at most, about.
const defaultMemory = 16 << 20

// Sorter sorts lines.
type Sorter struct {
	// Key returns the key of a line, which ends in a newline. It fails
	// if the line has none.
	Key func(line []byte) (string, error)
	// Memory is how many bytes of lines are held in memory, about; 0
	// means 16 MiB, or less if the budget is small.
	Memory int
	// Budget pays for the memory, from the sort until the lines are
	// closed. Lines that are in order already cost nothing.
	Budget *memory.Budget
}

// Lines are lines in ascending order of their keys, each key once. The
// caller must close them. They are safe for concurrent use.
type Lines struct {
	Count int64
	Size  int64 // bytes

	pieces func(context.Context) iter.Seq2[[]byte, error]
	close  func() error
}

// Pieces yields the lines in pieces of any size that end with a line.
// It may be ranged over again and yields the same lines each time. A
// piece is valid until the next one is yielded. After an error it
// yields nothing.
func (l *Lines) Pieces(ctx context.Context) iter.Seq2[[]byte, error] { return l.pieces(ctx) }

// Close frees what the lines take. It removes the temporary file.
func (l *Lines) Close() error { return l.close() }

// Sort returns the lines in order. If a key has several lines, the
// first one counts. pieces is ranged over once to see whether the lines
// are in order. If they are, the result yields pieces as they are; if
// not, they are ranged over once more to sort them.
func (s Sorter) Sort(
	ctx context.Context, pieces iter.Seq2[[]byte, error],
) (*Lines, error) {
	asTheyAre := &Lines{
		pieces: func(context.Context) iter.Seq2[[]byte, error] { return pieces },
		close:  func() error { return nil },
	}
	last, inOrder := "", true
	err := s.each(ctx, pieces, func(key string, line []byte) bool {
		inOrder = asTheyAre.Count == 0 || keyorder.Bytes.Before(last, key)
		asTheyAre.count(line)
		last = key
		return inOrder
	})
	if err != nil || inOrder {
		return asTheyAre, err
	}
	return s.sort(ctx, pieces)
}

func (l *Lines) count(line []byte) {
	l.Count++
	l.Size += int64(len(line))
}

// each calls do for each line until it returns false.
func (s Sorter) each(
	ctx context.Context, pieces iter.Seq2[[]byte, error], do func(key string, line []byte) bool,
) error {
	n := 0
	var work steps.Counter
	for piece, err := range pieces {
		if err != nil {
			return err
		}
		for line := range bytes.Lines(piece) {
			n++
			if err := work.Add(ctx, lineWork+len(line)); err != nil {
				return err
			}
			key, err := s.Key(line)
			if err != nil {
				return fmt.Errorf("sort lines: line %d: %w", n, err)
			}
			if !do(key, line) {
				return nil
			}
		}
	}
	return nil
}

// sort sorts the lines part by part.
func (s Sorter) sort(
	ctx context.Context, pieces iter.Seq2[[]byte, error],
) (_ *Lines, err error) {
	if s.Memory == 0 {
		s.Memory = min(defaultMemory, int(s.Budget.Largest()/2))
	}
	release, err := s.Budget.Acquire(ctx, int64(s.Memory)*3/2) // lists grow by halves
	if err != nil {
		return nil, err
	}
	var held part
	spilled := &spill{memory: s.Memory, release: release}
	defer func() {
		if err != nil {
			_ = spilled.close()
		}
	}()

	var failed error
	err = s.each(ctx, pieces, func(key string, line []byte) bool {
		held.add(key, line)
		if held.size >= s.Memory {
			failed = spilled.write(held.sorted())
			held = part{}
		}
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	if spilled.file == nil {
		return held.lines(release), nil
	}
	if err := spilled.write(held.sorted()); err != nil {
		return nil, err
	}
	return spilled.lines(ctx)
}
