// Package frames compresses what jobs store in Redis: the data of
// shards, and the lines of error lists.
//
// Compressed texts can be joined: the joined text unpacks to the
// joined data.
package frames

import (
	"bytes"
	"encoding/json"

	"github.com/klauspost/compress/zstd"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Codec packs and unpacks. It is safe for concurrent use and may be
// copied. Make it with New.
type Codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// maxUnpacked is in bytes. The data of a shard is far smaller.
const maxUnpacked = 256 << 20

// New returns a Codec. It starts no goroutine.
func New() Codec {
	// Neither call can fail with these options.
	enc, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2))
	dec, _ := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(2),
		zstd.WithDecoderMaxMemory(maxUnpacked))
	return Codec{enc, dec}
}

// Pack compresses data. No data is no text.
func (c Codec) Pack(data []byte) []byte {
	if len(data) == 0 {
		return nil
	}
	return c.enc.EncodeAll(data, nil)
}

// Unpack returns the data of a packed text.
func (c Codec) Unpack(packed []byte) ([]byte, error) { return c.dec.DecodeAll(packed, nil) }

// PackErrors compresses an error list, as one line of JSON an object.
// An empty list is no text.
func (c Codec) PackErrors(list []tasks.ObjectError) []byte {
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, e := range list {
		_ = enc.Encode(e) // three strings into memory cannot fail
	}
	return c.Pack(lines.Bytes())
}

// UnpackErrors returns the lines of a packed error list.
func (c Codec) UnpackErrors(packed []byte) ([]tasks.ObjectError, error) {
	lines, err := c.Unpack(packed)
	if err != nil {
		return nil, err
	}
	var list []tasks.ObjectError
	for dec := json.NewDecoder(bytes.NewReader(lines)); dec.More(); {
		var e tasks.ObjectError
		if err := dec.Decode(&e); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}
