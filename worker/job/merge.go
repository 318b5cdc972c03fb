package job

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// maxLine is how long an old line may be, in bytes. Jobs write far
// shorter ones.
const maxLine = 1 << 20

// ErrNotMergeable means that the old lines are not as Merge expects
// them: someone else wrote or changed them.
var ErrNotMergeable = errors.New("these are not the lines that a job has written")

// Merge merges new lines into old ones. Both are in the order of their
// keys by code points.
type Merge struct {
	// Head is how many of the old lines come before those with keys.
	// They stay as they are.
	Head int
	// Key returns the key of a line, which may end in a newline. It
	// fails if the line has no key.
	Key func(line []byte) (string, error)
}

// MergeResult says what a merge has written.
type MergeResult struct {
	Lines int64 // without the head
	Size  int64 // bytes, with the head
}

// Write writes the old lines and the added ones in the order of their
// keys, each key once. An added line replaces an old line with the same
// key. If either side has a key twice, its first line counts. Merging
// the same lines again changes nothing.
//
// Write holds one line of each side in memory. It fails with
// ErrNotMergeable if an old line has no key, is out of order or is
// longer than a mebibyte.
func (m Merge) Write(
	w io.Writer, old io.Reader, added iter.Seq2[[]byte, error],
) (MergeResult, error) {
	g := &merger{to: w, old: oldLines{from: bufio.NewReaderSize(old, maxLine), keyOf: m.Key}}
	if err := g.copyHead(m.Head); err != nil {
		return g.wrote, err
	}
	for piece, err := range added {
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

// merger is one merge in progress.
type merger struct {
	to    io.Writer
	old   oldLines
	last  string // key of the last added line
	begun bool   // there was an added line
	wrote MergeResult
}

// copyHead copies n lines without keys and reads the first line after
// them.
func (g *merger) copyHead(n int) error {
	for range n {
		line, err := g.old.read()
		if err != nil {
			return err
		}
		if _, err := g.old.keyOf(line); line == nil || err == nil {
			return g.old.notMergeable("a line of the head is missing")
		}
		if err := g.write(line); err != nil {
			return err
		}
	}
	g.wrote.Lines = 0
	return g.old.next()
}

// insert writes the old lines that come before an added line, and then
// that line.
func (g *merger) insert(line []byte) error {
	key, err := g.old.keyOf(line)
	switch {
	case err != nil:
		return fmt.Errorf("an added line: %w", err)
	case g.begun && keyorder.Bytes.Before(key, g.last):
		return fmt.Errorf("the added line of %q comes after that of %q", key, g.last)
	case g.begun && key == g.last:
		return nil
	}
	g.last, g.begun = key, true

	if err := g.copyWhile(func(old string) bool {
		return keyorder.Bytes.Before(old, key)
	}); err != nil {
		return err
	}
	if g.old.line != nil && g.old.key == key {
		if err := g.old.next(); err != nil {
			return err
		}
	}
	return g.write(line)
}

func (g *merger) copyWhile(before func(key string) bool) error {
	for g.old.line != nil && before(g.old.key) {
		if err := g.write(g.old.line); err != nil {
			return err
		}
		if err := g.old.next(); err != nil {
			return err
		}
	}
	return nil
}

func (g *merger) write(line []byte) error {
	n, err := g.to.Write(line)
	g.wrote.Size += int64(n)
	g.wrote.Lines++
	return err
}

// oldLines reads the old lines, one at a time.
type oldLines struct {
	from   *bufio.Reader
	keyOf  func([]byte) (string, error)
	line   []byte // the current line, valid until the next; nil at the end
	key    string // of the current line
	number int    // of the line read last, from 1
	keyed  bool   // a line with a key was read
}

// next reads up to the next line with another key.
func (o *oldLines) next() error {
	for {
		line, err := o.read()
		o.line = line
		if line == nil || err != nil {
			return err
		}
		key, err := o.keyOf(line)
		switch {
		case err != nil:
			return o.notMergeable(err.Error())
		case o.keyed && keyorder.Bytes.Before(key, o.key):
			return o.notMergeable(fmt.Sprintf("%q comes after %q", key, o.key))
		case o.keyed && key == o.key:
			continue
		}
		o.key, o.keyed = key, true
		return nil
	}
}

// read returns the next line with its newline, which it adds to the
// last line if that has none. It returns nil at the end.
func (o *oldLines) read() ([]byte, error) {
	o.number++
	line, err := o.from.ReadSlice('\n')
	switch {
	case err == io.EOF && len(line) == 0:
		return nil, nil
	case err == io.EOF:
		return append(bytes.Clone(line), '\n'), nil
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, o.notMergeable("it is too long")
	}
	return line, err
}

func (o *oldLines) notMergeable(why string) error {
	return fmt.Errorf("%w: line %d: %s", ErrNotMergeable, o.number, why)
}
