package listing

import (
	"encoding/binary"
	"errors"
)

// Join joins texts to one. It returns nil if all are empty.
func Join(texts ...[]byte) []byte {
	var joined []byte
	size := 0
	for _, text := range texts {
		joined = binary.AppendUvarint(joined, uint64(len(text)))
		joined = append(joined, text...)
		size += len(text)
	}
	if size == 0 {
		return nil
	}
	return joined
}

var errBrokenTexts = errors.New("the joined texts of the shard are broken")

// Split sets the texts to those that Join has joined. Empty ones, and
// those that were not joined, become nil. The texts are parts of
// joined.
func Split(joined []byte, texts ...*[]byte) error {
	for _, text := range texts {
		*text = nil
		if len(joined) == 0 {
			continue
		}
		size, n := binary.Uvarint(joined)
		if n < 1 || size > uint64(len(joined)-n) {
			return errBrokenTexts
		}
		joined = joined[n:]
		if size > 0 {
			*text = joined[:size:size]
		}
		joined = joined[size:]
	}
	return nil
}
