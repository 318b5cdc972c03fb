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
	"github.com/stevedore-jobs/stevedore/worker/imagehead/tiff"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/webp"
)

// line is a line of the table of formats.
type line struct {
	head.Format
	// refusal says why CVAT cannot open images of the format. It is
	// empty if CVAT can.
	refusal string
}

// formats is the table of the formats that Read can read, and of what
// CVAT opens. If several match, the first one counts that finds the
// image sound, as in Pillow.
//
// CVAT 2.73 opens what Pillow 12.3.0 opens and draws without further
// plugins and programs (utils/dataset_manifest/requirements.txt,
// Dockerfile).
var formats = []line{
	{jpeg.Format, ""},
	{png.Format, ""},
	{webp.Format, ""},
	{tiff.Format, ""},
	{small.GIF, ""},
	{small.BMP, ""},
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
	{heif.HEIC, "CVAT opens no HEIC: its library, Pillow, has no reader for it"},
	{jpegxl.Format, "CVAT opens no JPEG XL: its library, Pillow, has no reader for it"},
	{textual.EPS, "CVAT opens no EPS: Pillow needs Ghostscript to draw it"},
	{small.WMF, "CVAT opens no WMF: Pillow draws it only on Windows"},
	{small.EMF, "CVAT opens no EMF: Pillow draws it only on Windows"},
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
	{head.Signature(4, "ftyp"), "mp4, quicktime or the like"},
	{head.Signature(0, "v/1\x01"), "openexr"},
	{head.Signature(0, "#?RADIANCE"), "radiance hdr"},
	{head.Signature(0, "gimp xcf"), "xcf"},
	{head.Signature(0, "%PDF-"), "pdf"},
}

func otherByContent(start []byte) head.Type {
	for _, o := range otherTypes {
		if o.matches(start) {
			return o.is
		}
	}
	return ""
}
