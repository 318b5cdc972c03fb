package linesort

import (
	"bytes"
	"context"
	"iter"
	"slices"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// keyedLine is a line with its key.
type keyedLine struct {
	key  string
	line []byte
}

// part is some of the lines, in memory. The zero value is empty.
type part struct {
	all  []keyedLine
	size int // bytes that it takes, about
}

// overhead is about what a line takes beside its bytes and its key.
const overhead = 64

func (p *part) add(key string, line []byte) {
	p.all = append(p.all, keyedLine{key, bytes.Clone(line)})
	p.size += len(key) + len(line) + overhead
}

// sorted sorts the lines and returns the first one of each key.
func (p *part) sorted() []keyedLine {
	slices.SortStableFunc(p.all, func(a, b keyedLine) int {
		return keyorder.Bytes.Compare(a.key, b.key)
	})
	p.all = slices.CompactFunc(p.all, func(a, b keyedLine) bool { return a.key == b.key })
	return p.all
}

// lines returns the lines in order, from memory. Close releases it.
func (p *part) lines(release func()) *Lines {
	all := p.sorted()
	l := &Lines{close: func() error { release(); return nil }}
	l.pieces = func(ctx context.Context) iter.Seq2[[]byte, error] {
		return func(yield func([]byte, error) bool) {
			var work steps.Counter
			for _, one := range all {
				err := work.Add(ctx, lineWork+len(one.line))
				if !yield(one.line, err) || err != nil {
					return
				}
			}
		}
	}
	for _, one := range all {
		l.count(one.line)
	}
	return l
}
