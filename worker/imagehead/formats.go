package imagehead

import (
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/heif"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/icons"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/jpeg"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/jpeg2000"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/jpegxl"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/png"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/small"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/textual"
)

// line is a line of the table of formats.
type line struct {
	head.Format
	// refused says why CVAT cannot open images of the format. It is
	// empty if CVAT can.
	refused string
}

// formats is the table of the formats that Read can read, and of what
// CVAT opens. If several match, the first one counts that can read
// the image, as in Pillow.
//
// CVAT 2.73 opens what Pillow 12.3.0 opens and draws without further
// programs and plugins (utils/dataset_manifest/requirements.txt,
// Dockerfile).
var formats = []line{
	{jpeg.Format, ""},
	{png.Format, ""},
	{heif.AVIF, ""},
	{jpeg2000.Format, ""},
	{small.PSD, ""},
	{small.DDS, ""},
	{small.QOI, ""},
	{small.Sun, ""},
	{small.SGI, ""},
	{small.PCX, ""},
	{icons.ICO, ""},
	{icons.CUR, ""},
	{icons.ICNS, ""},
	{textual.PNM, ""},
	{textual.XPM, ""},
	{textual.XBM, ""},
	{textual.FITS, ""},
	{heif.HEIC, "Pillow does not read HEIC"},
	{jpegxl.Format, "Pillow does not read JPEG XL"},
	{textual.EPS, "Pillow needs Ghostscript to draw EPS, and CVAT's image has none"},
	{small.WMF, "Pillow draws WMF only on Windows"},
	{small.EMF, "Pillow draws EMF only on Windows"},
	{small.TGA, ""}, // the last one, because it has no signature
}

// The types that other packages treat in their own ways.
const (
	JPEG = jpeg.Type
	PNG  = png.Type
)

// formatByName returns the format that a key's extension stands for,
// or nil.
func formatByName(key string) *head.Format {
	extension := strings.ToLower(Extension(key))
	i := slices.IndexFunc(formats, func(f line) bool {
		return slices.Contains(f.Extensions, extension)
	})
	if i < 0 {
		return nil
	}
	return &formats[i].Format
}

// supported returns the names of the types that can be read.
func supported() string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = string(f.Type)
	}
	return strings.Join(names, ", ")
}

// otherTypes are recognised, so that an error can name them.
var otherTypes = []struct {
	matches func(start []byte) bool
	is      head.Type
}{
	{head.Signature(0, "GIF8"), "gif"},
	{head.Signature(0, "BM"), "bmp"},
	{head.Signature(8, "WEBP"), "webp"},
	{head.Signature(0, "II*\x00"), "tiff"},
	{head.Signature(0, "MM\x00*"), "tiff"},
	{head.Signature(0, "II+\x00"), "tiff"},
	{head.Signature(0, "MM\x00+"), "tiff"},
}

func otherByContent(start []byte) head.Type {
	for _, o := range otherTypes {
		if o.matches(start) {
			return o.is
		}
	}
	return ""
}
