// Package listing packs the objects that a bucket has listed, so that
// a shard can hold them: a worker then need not list again.
//
// A packed listing of 1,000 objects takes about 25 KB, most of it for
// the ETags. It keeps of each object what jobs use: key, size and ETag.
package listing

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/stevedore-jobs/stevedore/providers"
)

const (
	// maxUnpacked is the most that Unpack reads, in bytes before
	// compression. A Packer is full long before.
	maxUnpacked = 4 << 20
	// maxText is how long a key or an ETag may be, in bytes. No cloud
	// has longer ones.
	maxText = 16 << 10
)

// Packer collects objects. The zero value is empty. It is not safe for
// concurrent use.
type Packer struct {
	rows []byte
	last string // key of the last object
}

// Add adds an object.
func (p *Packer) Add(o providers.Object) {
	same := commonPrefix(p.last, o.Key)
	p.rows = binary.AppendUvarint(p.rows, uint64(same))
	p.rows = appendText(p.rows, o.Key[same:])
	p.rows = binary.AppendVarint(p.rows, o.Size)
	p.rows = appendText(p.rows, o.ETag)
	p.last = o.Key
}

// Pack returns the packed objects, nil if there are none or if they
// take too much room, and empties the packer.
func (p *Packer) Pack() []byte {
	rows := p.rows
	*p = Packer{}
	return Compress(rows)
}

// Compress compresses what a shard holds. It returns nil if there is
// nothing, or more than Decompress reads: 4 MiB.
func Compress(rows []byte) []byte {
	if len(rows) == 0 || len(rows) > maxUnpacked {
		return nil
	}
	return encoder().EncodeAll(rows, nil)
}

// Decompress returns what Compress has compressed.
func Decompress(packed []byte) ([]byte, error) {
	rows, err := decoder().DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBroken, err)
	}
	return rows, nil
}

// decoder returns the one decoder of the process. It is safe for
// concurrent use.
var decoder = sync.OnceValue(func() *zstd.Decoder {
	// The call cannot fail with these options.
	dec, _ := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxUnpacked))
	return dec
})

// encoder returns the one encoder of the process: a new one takes
// longer than it takes to pack a listing. It is safe for concurrent use.
var encoder = sync.OnceValue(func() *zstd.Encoder {
	// The call cannot fail with these options.
	enc, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2),
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(1<<20))
	return enc
})

func appendText(rows []byte, text string) []byte {
	return append(binary.AppendUvarint(rows, uint64(len(text))), text...)
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

var errBroken = errors.New("what the shard holds is broken")

// Unpack returns the packed objects in their order. It fails if packed
// does not come from a Packer.
func Unpack(packed []byte) ([]providers.Object, error) {
	rows, err := Decompress(packed)
	if err != nil {
		return nil, err
	}
	var objects []providers.Object
	r := reader{rows: rows}
	for len(r.rows) > 0 {
		o := r.object()
		if r.broken {
			return nil, errBroken
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// reader reads rows. After an error it is broken, and what it returns
// has no meaning.
type reader struct {
	rows   []byte
	last   string // key of the last object
	broken bool
}

func (r *reader) object() (o providers.Object) {
	same := r.number()
	if same > uint64(len(r.last)) {
		r.broken = true
		return o
	}
	o.Key = r.last[:same] + r.text()
	size, n := binary.Varint(r.rows)
	r.advance(n)
	o.Size, o.ETag = size, r.text()
	r.last = o.Key
	r.broken = r.broken || len(o.Key) > maxText || o.Size < 0
	return o
}

func (r *reader) number() uint64 {
	v, n := binary.Uvarint(r.rows)
	r.advance(n)
	return v
}

func (r *reader) text() string {
	n := r.number()
	if r.broken || n > maxText || n > uint64(len(r.rows)) {
		r.broken = true
		return ""
	}
	text := string(r.rows[:n])
	r.rows = r.rows[n:]
	return text
}

// advance skips n bytes; n is below 1 if there was no whole number.
func (r *reader) advance(n int) {
	if n < 1 {
		r.broken, r.rows = true, nil
		return
	}
	r.rows = r.rows[n:]
}
