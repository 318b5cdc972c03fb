package jpeg

import "github.com/stevedore-jobs/stevedore/worker/imagehead/head"

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

// isRGB reports whether three components are red, green and blue.
func (c *colour) isRGB(components int, ids string) bool {
	return components == 3 && !c.jfif && (c.adobe && c.plain || ids == "RGB")
}
