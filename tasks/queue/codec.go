package queue

import "github.com/klauspost/compress/zstd"

// codec compresses what lies in Redis. It may be used by many goroutines at
// once.
type codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

const maxUnpacked = 256 << 20 // bytes; no part comes near

func newCodec() codec {
	// Neither can fail with these options; without a stream neither starts a
	// goroutine.
	enc, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2))
	dec, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxUnpacked))
	return codec{enc, dec}
}

func (c codec) pack(data []byte) []byte { return c.enc.EncodeAll(data, nil) }

func (c codec) unpack(packed []byte) ([]byte, error) { return c.dec.DecodeAll(packed, nil) }
