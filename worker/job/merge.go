package job

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// maxLine is how long an old line may be, in bytes: room for far more than a
// job writes of one object.
const maxLine = 1 << 20

// ErrNotMergeable means that the old lines are not as Merge expects them:
// somebody else wrote or changed them.
var ErrNotMergeable = errors.New("these are not the lines that a job has written")

// Merge puts fresh lines where they belong among old ones. Both are in
// ascending byte order of their keys.
type Merge struct {
	Head int                               // how many of the old lines come before those with keys, and stay as they are
	Key  func(line []byte) (string, error) // the key of a line, which may end in a newline; an error when it has none
}

// Merged tells what a merge has written.
type Merged struct {
	Lines int64 // without the head
	Size  int64 // bytes, with the head
}

// Write writes old with the lines of fresh in it, none of them twice: a fresh
// line takes the place of an old one with the same key, else the first of
// either stays. It holds one line of each in memory. Merging the same lines
// again changes nothing. Old lines that have no key, are out of order or
// longer than a mebibyte are ErrNotMergeable.
func (m Merge) Write(w io.Writer, old io.Reader, fresh iter.Seq2[[]byte, error]) (Merged, error) {
	g := &merging{to: w, old: oldLines{from: bufio.NewReaderSize(old, maxLine), key: m.Key}}
	if err := g.head(m.Head); err != nil {
		return g.wrote, err
	}
	for piece, err := range fresh {
		if err != nil {
			return g.wrote, err
		}
		for line := range bytes.Lines(piece) {
			if err := g.insert(line); err != nil {
				return g.wrote, err
			}
		}
	}
	return g.wrote, g.copyWhile(func(string) bool { return true })
}

type merging struct {
	to    io.Writer
	old   oldLines
	last  string // key of the last fresh line
	began bool   // there was one
	wrote Merged
}

// head copies the lines without keys, and looks at the first one after them.
func (g *merging) head(n int) error {
	for range n {
		line, err := g.old.read()
		if err != nil {
			return err
		}
		if _, err := g.old.key(line); line == nil || err == nil {
			return g.old.unlike("a line of the head is missing")
		}
		if err := g.write(line); err != nil {
			return err
		}
	}
	g.wrote.Lines = 0
	return g.old.next()
}

func (g *merging) insert(line []byte) error {
	key, err := g.old.key(line)
	switch {
	case err != nil:
		return fmt.Errorf("a fresh line: %w", err)
	case g.began && key < g.last:
		return fmt.Errorf("the fresh line of %q comes after that of %q", key, g.last)
	case g.began && key == g.last:
		return nil
	}
	g.last, g.began = key, true
	if err := g.copyWhile(func(old string) bool { return old < key }); err != nil {
		return err
	}
	if g.old.line != nil && g.old.at == key {
		if err := g.old.next(); err != nil {
			return err
		}
	}
	return g.write(line)
}

func (g *merging) copyWhile(before func(key string) bool) error {
	for g.old.line != nil && before(g.old.at) {
		if err := g.write(g.old.line); err != nil {
			return err
		}
		if err := g.old.next(); err != nil {
			return err
		}
	}
	return nil
}

func (g *merging) write(line []byte) error {
	n, err := g.to.Write(line)
	g.wrote.Size += int64(n)
	g.wrote.Lines++
	return err
}

// oldLines are the old lines, one at a time.
type oldLines struct {
	from   *bufio.Reader
	key    func([]byte) (string, error)
	line   []byte // the line at hand, good until the next; nil when there are no more
	at     string // its key
	number int    // its number, from 1
	keyed  bool   // there was a line with a key
}

// next goes on to the next line with another key.
func (o *oldLines) next() error {
	for {
		line, err := o.read()
		o.line = line
		if line == nil || err != nil {
			return err
		}
		key, err := o.key(line)
		switch {
		case err != nil:
			return o.unlike(err.Error())
		case o.keyed && key < o.at:
			return o.unlike(fmt.Sprintf("%q comes after %q", key, o.at))
		case o.keyed && key == o.at:
			continue
		}
		o.at, o.keyed = key, true
		return nil
	}
}

// read reads a line with its newline, which the last one may lack; nil when
// there are no more.
func (o *oldLines) read() ([]byte, error) {
	o.number++
	line, err := o.from.ReadSlice('\n')
	switch {
	case err == io.EOF && len(line) == 0:
		return nil, nil
	case err == io.EOF:
		return append(bytes.Clone(line), '\n'), nil
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, o.unlike("it is too long")
	}
	return line, err
}

func (o *oldLines) unlike(why string) error {
	return fmt.Errorf("%w: line %d: %s", ErrNotMergeable, o.number, why)
}
