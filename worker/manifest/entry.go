package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/stevedore-jobs/stevedore/worker/asciijson"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
)

// header is the first two lines of a manifest, as CVAT 2.73 writes
// them (utils/dataset_manifest/core.py).
const header = `{"version":"1.1"}` + "\n" + `{"type":"images"}` + "\n"

// entry returns the line of one image, byte for byte as CVAT 2.73
// writes it: these fields in this order, without spaces. It leaves
// out the checksum, which CVAT would have to compute by decoding each
// frame once more. name is the key relative to the manifest's
// directory; the size is that of the image as displayed.
func entry(name string, width, height int) []byte {
	extension := imagehead.Extension(name)
	line := []byte(`{"name":`)
	line = asciijson.AppendPython(line, name[:len(name)-len(extension)])
	line = append(line, `,"extension":`...)
	line = asciijson.AppendPython(line, extension)
	line = append(line, `,"width":`...)
	line = strconv.AppendInt(line, int64(width), 10)
	line = append(line, `,"height":`...)
	line = strconv.AppendInt(line, int64(height), 10)
	return append(line, '}', '\n')
}

var errNotEntry = errors.New("the line is not an entry of a manifest")

// nameOf returns an entry's name with its extension, by which the
// entries are sorted.
func nameOf(line []byte) (string, error) {
	var e struct {
		Name      *string `json:"name"`
		Extension string  `json:"extension"`
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return "", fmt.Errorf("%w: %w", errNotEntry, err)
	}
	if e.Name == nil {
		return "", errNotEntry
	}
	return *e.Name + e.Extension, nil
}
