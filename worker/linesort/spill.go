package linesort

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// spill is a temporary file with sorted parts, one after the other. A
// line is stored as its key and itself, each with its length before it.
// The zero value has no file yet.
type spill struct {
	memory  int    // bytes for the buffers of a merge
	release func() // gives the memory back
	file    *os.File
	removed bool    // the file has no name any more
	ends    []int64 // where the parts end
}

// open makes the file. Where the system allows it, the name is removed
// at once: then nothing stays behind, even if the process is killed.
func (s *spill) open() (err error) {
	if s.file, err = os.CreateTemp("", "stevedore-sort-*"); err != nil {
		return tempError(err)
	}
	s.removed = os.Remove(s.file.Name()) == nil
	return nil
}

func tempError(err error) error {
	return fmt.Errorf("sort lines in a temporary file: %w; "+
		"TMPDIR must name a directory that can be written and has room for the output", err)
}

// write adds a sorted part.
func (s *spill) write(lines []keyedLine) error {
	if s.file == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	w := bufio.NewWriter(s.file)
	var size [binary.MaxVarintLen64]byte
	end := s.end()
	for _, one := range lines {
		for _, data := range [][]byte{[]byte(one.key), one.line} {
			n := binary.PutUvarint(size[:], uint64(len(data)))
			_, _ = w.Write(size[:n]) // Flush returns the first error
			_, _ = w.Write(data)
			end += int64(n + len(data))
		}
	}
	if err := w.Flush(); err != nil {
		return tempError(err)
	}
	s.ends = append(s.ends, end)
	return nil
}

func (s *spill) end() int64 {
	if len(s.ends) == 0 {
		return 0
	}
	return s.ends[len(s.ends)-1]
}

// close closes and removes the file, and gives back the memory.
func (s *spill) close() error {
	s.release()
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if !s.removed {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}

// minBuffer is the smallest buffer for reading a part, in bytes.
const minBuffer = 4 << 10

// readers returns a reader of each part.
func (s *spill) readers() []*partReader {
	buffer := max(minBuffer, s.memory/len(s.ends))
	var all []*partReader
	start := int64(0)
	for i, end := range s.ends {
		section := io.NewSectionReader(s.file, start, end-start)
		all = append(all, &partReader{from: bufio.NewReaderSize(section, buffer), number: i})
		start = end
	}
	return all
}

// partReader reads a sorted part of a file.
type partReader struct {
	from   *bufio.Reader
	number int    // of the part
	key    string // of the current line
	line   []byte // valid until the next call of next
}

// next reads the next line. At the end it returns io.EOF.
func (r *partReader) next() error {
	key, err := r.read(nil)
	if err != nil {
		return err
	}
	r.key = string(key)
	r.line, err = r.read(r.line)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// read reads a length and as many bytes, into buffer if they fit.
func (r *partReader) read(buffer []byte) ([]byte, error) {
	n, err := binary.ReadUvarint(r.from)
	if err != nil {
		return nil, err
	}
	if uint64(cap(buffer)) < n {
		buffer = make([]byte, n)
	}
	buffer = buffer[:n]
	_, err = io.ReadFull(r.from, buffer)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return buffer, err
}
