// Package entry knows the lines of a manifest to the byte, as CVAT 2.73
// writes them (utils/dataset_manifest/core.py), and those of other tools
// that Stevedore writes in their place.
package entry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/stevedore-jobs/stevedore/worker/asciijson"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
)

// Header is the first two lines of a manifest.
const Header = `{"version":"1.1"}` + "\n" + `{"type":"images"}` + "\n"

// Image returns the line of an image: these fields in this order,
// without spaces. It has no checksum, which CVAT would have to compute by
// decoding each frame once more. name is the key relative to
// the manifest's directory; the size is that of the image as displayed.
func Image(name string, width, height int) []byte {
	return line(name, imagehead.Extension(name), width, height)
}

// WithChecksum returns the line of an image with the checksum of its
// pixels.
func WithChecksum(text []byte, sum string) []byte {
	text = append(text[:len(text)-len("}\n")], `,"checksum":`...)
	return append(asciijson.AppendPython(text, sum), "}\n"...)
}

// PointCloud returns the line of a point cloud. A Velodyne scan, whose
// name ends in .bin, is named as the PCD file that CVAT makes of it, and
// has its own name in meta.
func PointCloud(name string, width, height int) []byte {
	extension := imagehead.Extension(name)
	if extension != ".bin" {
		return line(name, extension, width, height)
	}
	text := line(name, ".pcd", width, height)
	text = append(text[:len(text)-len("}\n")], `,"meta":{"original_name":`...)
	return append(asciijson.AppendPython(text, name), "}}\n"...)
}

// line makes a line of a name, whose extension it replaces.
func line(name, extension string, width, height int) []byte {
	text := []byte(`{"name":`)
	text = asciijson.AppendPython(text, name[:len(name)-len(imagehead.Extension(name))])
	text = append(text, `,"extension":`...)
	text = asciijson.AppendPython(text, extension)
	text = append(text, `,"width":`...)
	text = strconv.AppendInt(text, int64(width), 10)
	text = append(text, `,"height":`...)
	text = strconv.AppendInt(text, int64(height), 10)
	return append(text, '}', '\n')
}

// WithRelated returns a line that names the context images of its entry
// too. The line has none yet. Paths are relative to the manifest's
// directory. Without any images it returns the line as it is.
func WithRelated(text []byte, images []string) []byte {
	if len(images) == 0 {
		return text
	}
	const original = `,"meta":{"original_name":`
	out, extra := cutExtra(text)
	rest := []byte("}")
	if at := bytes.LastIndex(out, []byte(original)); at >= 0 {
		rest = append([]byte{','}, out[at+len(`,"meta":{`):]...)
		out = out[:at:at]
	}
	out = append(out, `,"meta":{"related_images":[`...)
	for i, image := range images {
		if i > 0 {
			out = append(out, ',')
		}
		out = asciijson.AppendPython(out, image)
	}
	return append(append(append(out, ']'), rest...), extra...)
}

// ErrNotEntry means that a line is not an entry of a manifest.
var ErrNotEntry = errors.New("the line is not an entry of a manifest")

// Name returns the name of an entry's object with its extension, by
// which the entries are sorted. It is relative to the manifest's
// directory.
func Name(text []byte) (string, error) {
	var e fields
	if err := json.Unmarshal(text, &e); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNotEntry, err)
	}
	return e.object()
}

// fields are those of an entry that name its object.
type fields struct {
	Name      *string `json:"name"`
	Extension string  `json:"extension"`
	Meta      struct {
		OriginalName string `json:"original_name"`
	} `json:"meta"`
}

// object returns the name of the object.
func (e fields) object() (string, error) {
	switch {
	case e.Name == nil:
		return "", ErrNotEntry
	case e.Meta.OriginalName != "":
		return e.Meta.OriginalName, nil
	}
	return *e.Name + e.Extension, nil
}
