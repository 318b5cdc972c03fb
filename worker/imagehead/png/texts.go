package png

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/exif"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

const (
	maxKeyword = 79 // bytes (PNG 3rd edition, 11.3.3.2)
	// maxText is how many bytes of a text are read, and decompressed. It
	// is Pillow's MAX_TEXT_CHUNK.
	maxText = 1 << 20
	// maxTexts is how many bytes all texts of a PNG take at most. It is
	// Pillow's MAX_TEXT_MEMORY.
	maxTexts = 64 << 20
)

// The keywords of texts with an orientation (Pillow 12.3,
// PngImagePlugin and Image.getexif).
const (
	keyEXIF       = "exif"
	keyRawProfile = "Raw profile type exif"
	keyXMP        = "XML:com.adobe.xmp"
)

// texts collects what the chunks say about the orientation. The last
// EXIF counts, and the last of each text: EXIF before a raw profile, and
// XMP without any value in these.
type texts struct {
	value    int // EXIF's
	found    bool
	hasEXIF  bool
	profile  []byte // with the raw profile
	xmpValue int

	bytes   int    // of the texts so far
	refusal string // why Pillow does not open a PNG with these texts
}

func (t *texts) add(r *head.Source, c chunk) error {
	switch c.kind {
	case "eXIf":
		if _, err := r.At(c.off, min(c.n, maxText)); err != nil {
			return err
		}
		return t.addEXIF(exif.BlockAt(r, c.off, c.n))
	case "tEXt", "zTXt", "iTXt":
		start, err := r.At(c.off, min(c.n, maxKeyword+1))
		if err != nil {
			return err
		}
		switch key, _, _ := bytes.Cut(start, []byte{0}); string(key) {
		case keyEXIF, keyRawProfile, keyXMP:
			return t.addText(r, c, string(key))
		}
	}
	return nil
}

func (t *texts) addEXIF(b exif.Block) (err error) {
	t.hasEXIF = true
	t.value, t.found, err = exif.Orientation(b)
	return err
}

func (t *texts) addText(r *head.Source, c chunk, key string) error {
	if c.n > maxText || t.refusal != "" {
		return nil
	}
	content, err := r.At(c.off, c.n)
	if err != nil {
		return err
	}
	text := textOf(c.kind, content[min(len(key)+1, len(content)):])
	t.bytes += len(text)
	if len(text) > maxText {
		text = nil // as for Pillow with LOAD_TRUNCATED_IMAGES, which CVAT sets
	}
	switch {
	case t.bytes > maxTexts:
		t.refusal = fmt.Sprintf("the texts of the PNG take more than %d bytes", maxTexts)
	case key == keyXMP:
		t.xmpValue = exif.XMPOrientation(text)
	case key == keyRawProfile:
		t.profile = bytes.Clone(text)
	case c.kind == "tEXt":
		return t.addEXIF(exif.BlockOf(bytes.Clone(text)))
	}
	return nil
}

// textOf returns the text of a chunk of a kind, from what follows its
// keyword (PNG 3rd edition, 11.3.3). It returns nil if that is broken.
func textOf(kind string, b []byte) []byte {
	switch kind {
	case "zTXt":
		if len(b) == 0 || b[0] != 0 {
			return nil
		}
		return inflate(b[1:])
	case "iTXt":
		parts := bytes.SplitN(b[min(2, len(b)):], []byte{0}, 3) // language, keyword, text
		switch {
		case len(parts) < 3:
			return nil
		case b[0] == 0:
			return parts[2]
		case b[1] == 0:
			return inflate(parts[2])
		}
		return nil
	}
	return b
}

// inflate unpacks a text. Of one that is too long it returns one byte
// more than a text may have.
func inflate(b []byte) []byte {
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(z, maxText+1))
	if err != nil && len(text) == 0 {
		return nil
	}
	return text
}

// orientation returns what EXIF says, or else XMP.
func (t *texts) orientation() (int, error) {
	if !t.hasEXIF && t.profile != nil {
		if err := t.addEXIF(exif.BlockOf(exif.RawProfile(t.profile))); err != nil {
			return 1, err
		}
	}
	if t.found {
		return exif.Valid(t.value), nil
	}
	return exif.Valid(t.xmpValue), nil
}
