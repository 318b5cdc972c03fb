package exif

import (
	"bytes"
	"encoding/hex"
)

// XMPOrientation returns what Pillow's pattern
// tiff:Orientation(="|>)([0-9]) finds in XMP, or 0.
func XMPOrientation(xmp []byte) int {
	for {
		_, rest, found := bytes.Cut(xmp, []byte("tiff:Orientation"))
		if !found {
			return 0
		}
		digit := bytes.TrimPrefix(rest, []byte(`="`))
		if len(digit) == len(rest) {
			digit = bytes.TrimPrefix(rest, []byte(">"))
		}
		if len(digit) < len(rest) && len(digit) > 0 && '0' <= digit[0] && digit[0] <= '9' {
			return int(digit[0] - '0')
		}
		xmp = rest
	}
}

// RawProfile returns the EXIF in a text of ImageMagick's, "Raw profile
// type exif": an empty line, the name, the length, and then the bytes
// as hexadecimal digits. It returns nil if the text is of another kind.
func RawProfile(text []byte) []byte {
	lines := bytes.Split(text, []byte("\n"))
	if len(lines) <= 3 {
		return nil
	}
	digits := bytes.Join(bytes.Fields(bytes.Join(lines[3:], nil)), nil)
	data := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(data, digits); err != nil {
		return nil
	}
	return data
}
