package jpeg

import (
	"errors"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// colour collects what the APP0 and APP14 segments say about the
// colours, as Go's decoder understands them: the last of each counts.
type colour struct {
	jfif  bool // the colours are luma and chroma
	adobe bool // there is an Adobe segment
	plain bool // Adobe: the colours are not transformed
}

const adobeTransform = 11 // where an Adobe segment names its transform

func (c *colour) add(r *head.Source, s segment) error {
	b, err := r.At(s.off, min(s.n, adobeTransform+1))
	if err != nil {
		return err
	}
	switch {
	case s.marker == markAPP0 && len(b) >= 5:
		c.jfif = string(b[:5]) == "JFIF\x00"
	case s.marker == markAPPE && len(b) > adobeTransform && string(b[:5]) == "Adobe":
		c.adobe, c.plain = true, b[adobeTransform] == 0
	}
	return nil
}

// readComponents reads the components of a frame header. If it is cut
// off there, the layout has none.
//
// It also reads the segments up to the pixels, because some of them say
// more about the colours. If these segments are broken, it ignores
// them: the size of the image is known.
func readComponents(
	r *head.Source, frame segment, n int, colours colour, l *head.Layout,
) error {
	const first, each = 6, 3
	if n > len(l.Sampling) || frame.n < int64(first+each*n) {
		return nil
	}
	b, err := r.At(frame.off+first, int64(each*n))
	if err != nil {
		return ignoreShort(err)
	}
	l.Components = n
	ids := ""
	for i := range n {
		ids += string(b[each*i : each*i+1])
		l.Sampling[i] = head.Sampling{H: int(b[each*i+1] >> 4), V: int(b[each*i+1] & 15)}
	}
	for pos := frame.off + frame.n; err == nil; {
		var s segment
		if s, err = nextSegment(r, pos); err != nil {
			break
		}
		if s.marker == markSOS || s.marker == markEOI {
			break
		}
		if s.marker == markAPP0 || s.marker == markAPPE {
			err = colours.add(r, s)
		}
		pos = s.off + s.n
	}
	l.RGB = n == 3 && !colours.jfif && (colours.adobe && colours.plain || ids == "RGB")
	return ignoreShort(err)
}

// ignoreShort drops an error that says that the JPEG is cut off or
// broken. Other errors stay: those of fetch, and of too many reads.
func ignoreShort(err error) error {
	var broken *head.Error
	if errors.Is(err, head.ErrShort) || errors.As(err, &broken) && broken.Type == Type {
		return nil
	}
	return err
}
