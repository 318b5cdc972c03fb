package jpeg

import (
	"bytes"
	"errors"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/exif"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

const (
	exifMagic = "Exif\x00\x00"
	xmpMagic  = "http://ns.adobe.com/xap/1.0/\x00"
)

// tags collects what the APP1 segments say about the orientation. All
// EXIF segments together are one block, and the last XMP counts (Pillow
// 12.3, JpegImagePlugin.APP). Each is read when it is met, because the
// source may hold it only then.
type tags struct {
	exif     exif.Block
	segments int  // of EXIF
	value    int  // EXIF's
	found    bool // EXIF has a value

	xmp      segment
	xmpValue int
	xmpRead  bool
}

func (t *tags) add(r *head.Source, s segment) error {
	b, err := r.At(s.off, min(s.n, int64(len(xmpMagic))))
	if err != nil {
		return err
	}
	switch {
	case bytes.HasPrefix(b, []byte(exifMagic)):
		return t.addEXIF(r, s.off+int64(len(exifMagic)), s.n-int64(len(exifMagic)))
	case string(b) == xmpMagic:
		t.xmp, t.xmpRead = s, false
		if r.Holds(s.off, s.n) {
			return t.readXMP(r)
		}
	}
	return nil
}

// maxSegments is how many EXIF segments count. Full ones of that number
// exceed what a source reads. It bounds the work for tiny ones.
const maxSegments = 1000

// addEXIF looks into the first segment. Further ones matter only if the
// first one ends before its directory does.
func (t *tags) addEXIF(r *head.Source, off, n int64) (err error) {
	switch t.segments++; {
	case t.segments > maxSegments:
		return nil
	case t.segments > 1:
		t.exif = t.exif.And(off, n)
		return nil
	}
	t.exif = exif.BlockAt(r, off, n)
	t.value, t.found, err = exif.Orientation(t.exif)
	return err
}

func (t *tags) readXMP(r *head.Source) error {
	b, err := r.At(t.xmp.off, t.xmp.n)
	if err != nil {
		return err
	}
	t.xmpValue, t.xmpRead = exif.XMPOrientation(b), true
	return nil
}

// orientation returns what EXIF says, or else XMP.
func (t *tags) orientation(r *head.Source) (int, error) {
	if !t.found && t.segments > 1 {
		var err error
		if t.value, t.found, err = exif.Orientation(t.exif); err != nil {
			return 1, err
		}
	}
	if t.found {
		return exif.Valid(t.value), nil
	}
	if t.xmp.n > 0 && !t.xmpRead {
		// A cut JPEG has no XMP.
		if err := t.readXMP(r); err != nil && !errors.Is(err, head.ErrShort) {
			return 1, err
		}
	}
	return exif.Valid(t.xmpValue), nil
}
