package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// The codecs of pages that are read (parquet.thrift, CompressionCodec).
const (
	codecNone   = 0
	codecSnappy = 1
	codecGzip   = 2
	codecZstd   = 6
)

var errUnpacked = errors.New("a page has another size than its header says")

// unpack returns the content of a page, which has size bytes. The caller
// has checked that size is not too large.
func unpack(codec int64, packed []byte, size int64) (text []byte, err error) {
	switch codec {
	case codecNone:
		text = packed
	case codecSnappy:
		n, err := snappy.DecodedLen(packed)
		if err != nil || int64(n) != size {
			return nil, errUnpacked
		}
		return snappy.Decode(make([]byte, size), packed)
	case codecGzip:
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, err
		}
		text = make([]byte, size)
		_, err = io.ReadFull(z, text)
		if err != nil {
			return nil, errUnpacked
		}
	case codecZstd:
		if text, err = decoder().DecodeAll(packed, make([]byte, 0, size)); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("it is packed by codec %d, and only Snappy, gzip and Zstandard "+
			"are supported", codec)
	}
	if int64(len(text)) != size {
		return nil, errUnpacked
	}
	return text, nil
}

// decoder returns the one decoder of the process. It is safe for
// concurrent use.
var decoder = sync.OnceValue(func() *zstd.Decoder {
	// The call cannot fail with these options.
	d, _ := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxPage))
	return d
})
