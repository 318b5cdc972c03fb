package linesort

import (
	"container/heap"
	"context"
	"errors"
	"io"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// lines counts the merged lines, and returns them.
func (s *spill) lines(ctx context.Context) (*Lines, error) {
	l := &Lines{pieces: s.merged, close: s.close}
	for line, err := range s.merged(ctx) {
		if err != nil {
			return nil, err
		}
		l.count(line)
	}
	return l, nil
}

// merged yields the lines of all parts in order, each key once.
func (s *spill) merged(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		fronts, err := s.fronts()
		last := ""
		var work steps.Counter
		for n := 1; err == nil && len(fronts) > 0; n++ {
			first := fronts[0]
			if err := work.Add(ctx, lineWork+len(first.line)); err != nil {
				yield(nil, err)
				return
			}
			if n == 1 || first.key != last {
				last = first.key
				if !yield(first.line, nil) {
					return
				}
			}
			err = fronts.advance()
		}
		if err != nil {
			yield(nil, tempError(err))
		}
	}
}

// fronts returns a heap of the parts' readers, each at its first line.
func (s *spill) fronts() (fronts, error) {
	var f fronts
	for _, r := range s.readers() {
		err := r.next()
		if errors.Is(err, io.EOF) { // an empty part
			continue
		}
		if err != nil {
			return nil, err
		}
		f = append(f, r)
	}
	heap.Init(&f)
	return f, nil
}

// fronts are readers of parts, as a heap. The one whose line comes
// first is at the front; of lines with the same key, that of the
// earlier part.
type fronts []*partReader

// advance moves the first reader on.
func (f *fronts) advance() error {
	err := (*f)[0].next()
	if errors.Is(err, io.EOF) {
		heap.Pop(f)
		return nil
	}
	heap.Fix(f, 0)
	return err
}

// Len implements heap.Interface.
func (f *fronts) Len() int { return len(*f) }

// Less implements heap.Interface.
func (f *fronts) Less(i, j int) bool {
	x, y := (*f)[i], (*f)[j]
	if c := keyorder.Bytes.Compare(x.key, y.key); c != 0 {
		return c == -1
	}
	return x.number < y.number
}

// Swap implements heap.Interface.
func (f *fronts) Swap(i, j int) { (*f)[i], (*f)[j] = (*f)[j], (*f)[i] }

// Push implements heap.Interface. Nothing is pushed.
func (f *fronts) Push(r any) { *f = append(*f, r.(*partReader)) }

// Pop implements heap.Interface.
func (f *fronts) Pop() any {
	old := *f
	last := old[len(old)-1]
	*f = old[:len(old)-1]
	return last
}
