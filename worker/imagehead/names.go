package imagehead

import (
	"errors"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// Naming is what an object's name says about it. Like CVAT, the jobs
// select objects by name before they read any content.
type Naming int

// The namings.
const (
	NotImage   Naming = iota // not an image
	Image                    // an image that CVAT accepts and Pillow, its library, opens
	Unreadable               // CVAT accepts it and then fails the whole task: Pillow cannot open it
)

// ByName returns what the extension of a key says, in upper or lower
// case. The lists hold what CVAT 2.73 takes for an image: its
// media.mimetypes and Python's mimetypes without SVG, divided by
// whether Pillow can open it.
func ByName(key string) Naming { return namings[strings.ToLower(Extension(key))] }

var namings = makeNamings()

func makeNamings() map[string]Naming {
	table := map[string]Naming{}
	for name := range strings.FieldsSeq(`
		apng avif bmp cur dds emf eps fits gif icb icns ico jfif jp2 jpe jpeg jpf jpg jpx pbm
		pcx pgm png pnm ppm psd ras rgb sgi tga tif tiff vda vst webp wmf xbm xpm`) {
		table["."+name] = Image
	}
	for name := range strings.FieldsSeq(`
		3ds arw cr2 djvu dng dwg dxf exr hdr heic heif jxl nef orf pict raf raw rw2 xcf`) {
		table["."+name] = Unreadable
	}
	return table
}

// Extension returns the extension of a key with its dot, or an empty
// string. It follows Python's os.path.splitext, which CVAT uses: the
// extension begins at the last dot of the last path segment, but
// leading dots of the segment begin none.
func Extension(key string) string {
	name := key[strings.LastIndexByte(key, '/')+1:]
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 || strings.Trim(name[:dot], ".") == "" {
		return ""
	}
	return name[dot:]
}

// FirstRead returns how many bytes of an image to read first, by its
// name.
func FirstRead(key string) int64 {
	switch f := formatByName(key); {
	case f != nil:
		return f.FirstRead
	case Extension(key) == "":
		return 16 << 10
	}
	return 4 << 10
}

// RefineError makes an error of Read more exact with the object's
// name. A .jpg without a known signature is corrupt. A .tga is an
// unsupported type, because files of that type have no signature.
func RefineError(key string, err error) error {
	var e *head.Error
	isUnknown := errors.As(err, &e) && e.Code == head.CodeCorrupt && e.Type == ""
	if !isUnknown || formatByName(key) != nil {
		return err
	}
	refined := UnsupportedName(key)
	refined.Detail += "; " + e.Detail
	return refined
}

// UnsupportedName returns the error for a key whose extension is that
// of an unsupported type.
func UnsupportedName(key string) *head.Error {
	return unsupported("", "the name ends in "+Extension(key))
}
