package job

import (
	"encoding/binary"
	"errors"
)

// bulky returns the fields of a shard that its JSON text leaves out. A
// field that is added comes last, so that workers of the version before
// can read the others.
func bulky(s *Shard) []*[]byte { return []*[]byte{&s.Listing} }

// Input returns the fields of a shard that its JSON text leaves out, as
// one text; nil if none is set. The engine keeps it apart from the JSON
// text, and only until the shard is done.
func (s Shard) Input() []byte {
	var input []byte
	set := false
	for _, field := range bulky(&s) {
		input = binary.AppendUvarint(input, uint64(len(*field)))
		input = append(input, *field...)
		set = set || len(*field) > 0
	}
	if !set {
		return nil
	}
	return input
}

var errBrokenInput = errors.New("the input of the shard is broken")

// WithInput returns the shard with the fields that Input returned.
// Fields that are not in the input are nil. The shard keeps the slice.
func (s Shard) WithInput(input []byte) (Shard, error) {
	for _, field := range bulky(&s) {
		*field = nil
		if len(input) == 0 {
			continue
		}
		size, n := binary.Uvarint(input)
		if n < 1 || size > uint64(len(input)-n) {
			return s, errBrokenInput
		}
		if size > 0 {
			*field = input[n : n+int(size)]
		}
		input = input[n+int(size):]
	}
	return s, nil
}
