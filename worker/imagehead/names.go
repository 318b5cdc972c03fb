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
// whether Pillow 12.3.0 has a reader for the name. What CVAT opens
// by content is in the table of formats.
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
		3ds ag arw bay bmq cgm cr2 cr3 crw cs1 cs2 dcr djv djvu dng dpx drle dwg dxf epsf epsi erf
		exr fff fig g3 hdr heic heif hrd ief iff ilbm jng jxl k25 kdc lbm lwo lwob lws mdc mdi
		mos mrw msod nef ora orf pct pef pic pict pict1 pict2 pntg pnx qif qtif raf raw rdc rle
		rp rw2 sk sk1 sr2 srf sun tpic wbmp x3f xcf xwd`) {
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

// ReadsName reports whether the extension of a key stands for a type
// that Read can read.
func ReadsName(key string) bool { return formatByName(key) != nil }

// TypeByName returns the type that the extension of a key stands for.
// It is empty if Read reads no such type.
func TypeByName(key string) head.Type {
	if f := formatByName(key); f != nil {
		return f.Type
	}
	return ""
}

// FitsName reports whether the extension of a key stands for a type,
// or for none that Read can read.
func FitsName(key string, t head.Type) bool {
	f := formatByName(key)
	return f == nil || f.Type == t
}

// RefineError makes an error of Read more exact with the object's
// name. A .jpg without a known signature is corrupt. A .raw is an
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
