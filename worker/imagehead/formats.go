package imagehead

import (
	"slices"
	"strings"
)

// format is a type of image that Read can read.
type format struct {
	is         Type
	extensions []string // lower case, with the dot
	signatures []signature
	firstRead  int64 // how many bytes FirstRead returns
	read       func(*rangeReader) (Head, error)
}

// formats is the table of the types that Read can read. Each has its
// own file.
var formats = []format{jpegFormat, pngFormat}

// signature is a text at a fixed place of an image's content.
type signature struct {
	at   int
	text string
}

// maxSignature is where the last signature ends.
const maxSignature = 12

func (s signature) matches(start []byte) bool {
	end := s.at + len(s.text)
	return end <= len(start) && string(start[s.at:end]) == s.text
}

// formatByContent returns the format of content that starts with
// start, or nil.
func formatByContent(start []byte) *format {
	for i := range formats {
		for _, s := range formats[i].signatures {
			if s.matches(start) {
				return &formats[i]
			}
		}
	}
	return nil
}

// formatByName returns the format that a key's extension stands for,
// or nil.
func formatByName(key string) *format {
	extension := strings.ToLower(Extension(key))
	i := slices.IndexFunc(formats, func(f format) bool {
		return slices.Contains(f.extensions, extension)
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
		names[i] = string(f.is)
	}
	return strings.Join(names, ", ")
}

// otherTypes are recognised, so that an error can name them.
var otherTypes = []struct {
	signature
	is Type
}{
	{signature{0, "GIF8"}, "gif"},
	{signature{0, "BM"}, "bmp"},
	{signature{8, "WEBP"}, "webp"},
	{signature{0, "II*\x00"}, "tiff"},
	{signature{0, "MM\x00*"}, "tiff"},
	{signature{0, "II+\x00"}, "tiff"},
	{signature{0, "MM\x00+"}, "tiff"},
	{signature{4, "ftyp"}, "heif or avif"},
	{signature{4, "jP  "}, "jpeg 2000"},
	{signature{0, "\xff\x0a"}, "jpeg xl"},
	{signature{4, "JXL "}, "jpeg xl"},
	{signature{0, "8BPS"}, "psd"},
	{signature{0, "DDS "}, "dds"},
	{signature{0, "\x00\x00\x01\x00"}, "ico"},
	{signature{0, "icns"}, "icns"},
	{signature{0, "%!PS"}, "eps"},
}

func otherByContent(start []byte) Type {
	for _, o := range otherTypes {
		if o.matches(start) {
			return o.is
		}
	}
	return ""
}
