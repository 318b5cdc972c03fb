package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"

	"github.com/stevedore-jobs/stevedore/worker/imagehead"
)

// header is the first two lines of a manifest: the newest version, as the
// writer in CVAT 2.73 puts it (utils/dataset_manifest/core.py).
const header = `{"version":"1.1"}` + "\n" + `{"type":"images"}` + "\n"

// entry is the line of one image, byte for byte what CVAT 2.73 writes: these
// keys in this order, no spaces and no checksum, which would cost CVAT one
// more decode of each frame. name is the key relative to the manifest's
// directory; the size is as displayed.
func entry(name string, width, height int) []byte {
	extension := imagehead.Extension(name)
	line := []byte(`{"name":`)
	line = appendString(line, name[:len(name)-len(extension)])
	line = append(line, `,"extension":`...)
	line = appendString(line, extension)
	line = append(line, `,"width":`...)
	line = strconv.AppendInt(line, int64(width), 10)
	line = append(line, `,"height":`...)
	line = strconv.AppendInt(line, int64(height), 10)
	return append(line, '}', '\n')
}

var errNoEntry = errors.New("no entry of a manifest")

// nameOf is the name and extension of an entry, which are in the order of the
// keys: all of a manifest share a directory.
func nameOf(line []byte) (string, error) {
	var e struct {
		Name      *string `json:"name"`
		Extension string  `json:"extension"`
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return "", fmt.Errorf("%w: %w", errNoEntry, err)
	}
	if e.Name == nil {
		return "", errNoEntry
	}
	return *e.Name + e.Extension, nil
}

const hex = "0123456789abcdef"

// appendString appends a JSON string as Python's json.dumps does with
// ensure_ascii. encoding/json differs three times: it escapes < > and &,
// leaves DEL as it is, and leaves everything beyond ASCII as it is.
func appendString(line []byte, s string) []byte {
	line = append(line, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			line = append(line, '\\', byte(r))
		case r >= 0x20 && r < 0x7f:
			line = append(line, byte(r))
		case r == '\n':
			line = append(line, `\n`...)
		case r == '\r':
			line = append(line, `\r`...)
		case r == '\t':
			line = append(line, `\t`...)
		case r == '\b':
			line = append(line, `\b`...)
		case r == '\f':
			line = append(line, `\f`...)
		default:
			line = appendEscape(line, r)
		}
	}
	return append(line, '"')
}

// appendEscape appends \uxxxx, or two of them for what lies beyond the basic
// plane.
func appendEscape(line []byte, r rune) []byte {
	if r > 0xffff {
		high, low := utf16.EncodeRune(r)
		return appendEscape(appendEscape(line, high), low)
	}
	return append(line, '\\', 'u', hex[r>>12], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
