package png

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// file is what is known of a PNG so far.
type file struct {
	source *head.Source
	head   head.Head
	texts  texts

	animated  bool
	describes bool // it has a chunk before its pixels that describes them
}

// chunk is a chunk's kind, and where its content is.
type chunk struct {
	kind   string
	off, n int64
}

func (c chunk) end() int64 { return c.off + c.n + 4 } // the checksum

func (f *file) chunkAt(off int64) (chunk, error) {
	b, err := f.source.At(off, 8)
	if err != nil {
		return chunk{}, err
	}
	return chunk{string(b[4:8]), off + 8, int64(binary.BigEndian.Uint32(b))}, nil
}

// readChunks walks over the chunks up to the pixels, and then over those
// behind them. It returns head.ErrShort if the PNG ends before its
// pixels.
func (f *file) readChunks() error {
	pos := int64(headerSize)
	for range maxChunks {
		c, err := f.chunkAt(pos)
		if err != nil {
			return err
		}
		if strings.ContainsFunc(c.kind, isNotASCII) { // Pillow fails to decode it
			f.head.Refusal = cmp.Or(f.head.Refusal,
				fmt.Sprintf("the PNG has a chunk of the kind %q", c.kind))
			return nil
		}
		switch c.kind {
		case "IDAT", "fdAT":
			if _, err := f.source.At(c.off, min(c.n, 1)); err != nil {
				return err
			}
			return f.readTail(c)
		case "IEND":
			return head.ErrShort
		case "tRNS":
			f.head.Layout.Transparent = true
		case "acTL":
			f.animated = true
		case "PLTE":
		default:
			f.describes = true
		}
		if err := f.texts.add(f.source, c); err != nil {
			return err
		}
		pos = c.end()
	}
	return head.Corrupt(Type, "the PNG has more than %d chunks before its pixels", maxChunks)
}

// maxChunks is how many chunks are looked at before the pixels, and how
// many behind them.
const maxChunks = 1 << 16

// readTail looks for chunks behind the pixels. Pillow reads them when it
// is asked for the orientation, but not those of an animated PNG.
// Programs that write them describe the image before the pixels too. So
// a PNG without any description has none, and costs no request. Where
// the request is for the whole file anyway, it looks.
func (f *file) readTail(first chunk) error {
	isSmall := f.source.Size() <= firstRead
	if f.animated || !f.describes && !isSmall {
		return nil
	}
	pos, err := first.off-8, error(nil)
	if !isSmall {
		pos, err = f.lastData(first)
	}
	for n := 0; err == nil && n < maxChunks; n++ {
		var c chunk
		if c, err = f.chunkAt(pos); err != nil || c.kind == "IEND" || !isKind(c.kind) {
			break
		}
		if c.kind != "IDAT" {
			err = f.texts.add(f.source, c)
		}
		pos = c.end()
	}
	return head.IgnoreShort(err)
}

const (
	minStep = 1 << 10  // bytes of a chunk of pixels, so that the last one is searched
	maxRest = 16 << 10 // bytes that are read at once behind the last place of such a chunk
)

// lastData returns where one of the last chunks of pixels begins. All
// but the last one usually have the same length, so their places are
// known. It looks at the last place in the file, and at a few before it,
// where chunks behind the pixels are longer than those of pixels. If it
// finds none, it returns the end of the file.
func (f *file) lastData(first chunk) (int64, error) {
	begin, step := first.off-8, first.n+frame
	last := (f.source.Size() - begin) / step
	if step < minStep {
		return f.source.Size(), nil
	}
	for _, back := range []int64{0, 1, 2, 4, 8, 16} {
		if back >= last {
			return begin, nil
		}
		pos := begin + (last-back)*step
		f.source.FetchLittle()
		if rest := f.source.Size() - pos; rest <= maxRest {
			if _, err := f.source.At(pos, rest); err != nil {
				return 0, err
			}
		}
		c, err := f.chunkAt(pos)
		if head.IgnoreShort(err) != nil {
			return 0, err
		}
		follows := last-back == 1 && isKind(c.kind) || back == 0 && c.kind == "IEND"
		if err == nil && (c.kind == "IDAT" || follows) {
			return pos, nil
		}
	}
	return f.source.Size(), nil
}

func isNotASCII(r rune) bool { return r >= utf8.RuneSelf }

// isKind reports whether a text can be the kind of a chunk.
func isKind(text string) bool {
	for i := range len(text) {
		if b := text[i] | 0x20; b < 'a' || b > 'z' {
			return false
		}
	}
	return true
}
