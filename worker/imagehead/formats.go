package imagehead

import (
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/jpeg"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/png"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/small"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/tiff"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/webp"
)

// formats is the table of the types that Read can read. Each has its
// own file. If several match, the first one counts.
var formats = []head.Format{
	jpeg.Format,
	png.Format,
	webp.Format,
	tiff.Format,
	small.GIF,
	small.BMP,
}

// The types that other packages treat in their own ways.
const (
	JPEG = jpeg.Type
	PNG  = png.Type
)

// formatByContent returns the format of content that starts with
// start, or nil.
func formatByContent(start []byte) *head.Format {
	for i := range formats {
		if formats[i].Matches(start) {
			return &formats[i]
		}
	}
	return nil
}

// formatByName returns the format that a key's extension stands for,
// or nil.
func formatByName(key string) *head.Format {
	extension := strings.ToLower(Extension(key))
	i := slices.IndexFunc(formats, func(f head.Format) bool {
		return slices.Contains(f.Extensions, extension)
	})
	if i < 0 {
		return nil
	}
	return &formats[i]
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
	{head.Signature(4, "ftyp"), "heif or avif"},
	{head.Signature(4, "jP  "), "jpeg 2000"},
	{head.Signature(0, "\xff\x0a"), "jpeg xl"},
	{head.Signature(4, "JXL "), "jpeg xl"},
	{head.Signature(0, "8BPS"), "psd"},
	{head.Signature(0, "DDS "), "dds"},
	{head.Signature(0, "\x00\x00\x01\x00"), "ico"},
	{head.Signature(0, "icns"), "icns"},
	{head.Signature(0, "%!PS"), "eps"},
}

func otherByContent(start []byte) head.Type {
	for _, o := range otherTypes {
		if o.matches(start) {
			return o.is
		}
	}
	return ""
}
