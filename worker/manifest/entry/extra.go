package entry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/stevedore-jobs/stevedore/worker/asciijson"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// Extra is what an entry tells the next run about its object. CVAT
// ignores these keys (CVAT 2.73, utils/dataset_manifest/core.py). They
// come last in a line.
type Extra struct {
	ETag string `json:"etag"`
	Size int64  `json:"size"` // of the object, bytes
	// Type is that of the content; empty if the name tells it.
	Type head.Type `json:"type"`
	// Unopenable says that CVAT cannot open the image.
	Unopenable bool `json:"unopenable"`
}

// beforeExtra begins the extra keys of a line. Within a text of JSON
// these bytes cannot stand, because a quote has a backslash there.
const beforeExtra = `,"etag":`

// WithExtra returns a line with the extra keys. The line has none yet.
// Without an ETag it returns the line as it is: nothing could be reused.
func WithExtra(line []byte, x Extra) []byte {
	if x.ETag == "" {
		return line
	}
	line = append(line[:len(line)-len("}\n")], beforeExtra...)
	line = asciijson.AppendPython(line, x.ETag)
	line = append(line, `,"size":`...)
	line = strconv.AppendInt(line, x.Size, 10)
	if x.Type != "" {
		line = append(line, `,"type":`...)
		line = asciijson.AppendPython(line, string(x.Type))
	}
	if x.Unopenable {
		line = append(line, `,"unopenable":true`...)
	}
	return append(line, "}\n"...)
}

// cutExtra cuts a line before its extra keys, or else before its end.
func cutExtra(line []byte) (before, after []byte) {
	at := bytes.LastIndex(line, []byte(beforeExtra))
	if at < 0 {
		at = len(line) - len("}\n")
	}
	return line[:at:at], line[at:]
}

// Entry is what a line says about an object, but for its context
// images.
type Entry struct {
	Name          string // with its extension; see Name
	Width, Height int
	Checksum      string // empty without one
	Extra
}

// Parse reads a line. The error is ErrNotEntry.
func Parse(line []byte) (Entry, error) {
	var e struct {
		fields
		Width    int    `json:"width"`
		Height   int    `json:"height"`
		Checksum string `json:"checksum"`
		Extra
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return Entry{}, fmt.Errorf("%w: %w", ErrNotEntry, err)
	}
	name, err := e.object()
	return Entry{name, e.Width, e.Height, e.Checksum, e.Extra}, err
}
