package entry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/asciijson"
)

// Dialect is how a tool wants its list of images.
type Dialect struct {
	// Head comes before the lines.
	Head string
	// HasMeta says that entries name their context images.
	HasMeta bool
	// Image returns the line of an image, by its name relative to the
	// manifest's directory and its size.
	Image func(name string, width, height int) []byte
	// Name returns the name in a line.
	Name func(line []byte) (string, error)
	// IsList says that the lines are the elements of a JSON list.
	IsList bool
}

// schemes are those of the addresses that the tools read: AWS's and
// Google's own, and Label Studio's for Azure.
var schemes = map[string]string{"s3": "s3://", "gcs": "gs://", "azure": "azure-blob://"}

// DialectOf returns the dialect of a job. dir is the manifest's
// directory, with a slash at its end, or empty.
func DialectOf(j tasks.BuildManifest, dir string) Dialect {
	root := schemes[j.Source.Provider] + j.Source.Bucket + "/" + dir
	switch j.Dialect {
	case tasks.DialectSageMaker:
		// The key is not encoded (formats: SM-02). The longest key keeps
		// the line below the limit of 20,000 characters (SM-01).
		return address(`{"source-ref":`, "}\n", root)
	case tasks.DialectLabelStudio:
		d := address(`{"data":{"image":`, "}}\n", root) // formats: LS-01
		d.IsList = true
		return d
	}
	return Dialect{Head: Header, HasMeta: true, Image: Image, Name: Name}
}

// address returns the dialect whose lines have only the address of an
// image, between two texts.
func address(before, after, root string) Dialect {
	return Dialect{
		Image: func(name string, _, _ int) []byte {
			return append(asciijson.AppendPython([]byte(before), root+name), after...)
		},
		Name: func(line []byte) (string, error) {
			text := strings.TrimSuffix(string(line), "\n")
			text, isLine := strings.CutPrefix(text, before)
			text, isWhole := strings.CutSuffix(text, strings.TrimSuffix(after, "\n"))
			var whole string
			if err := json.Unmarshal([]byte(text), &whole); err != nil || !isLine || !isWhole {
				return "", fmt.Errorf("%w: %.100q", ErrNotEntry, line)
			}
			name, isOurs := strings.CutPrefix(whole, root)
			if !isOurs {
				return "", fmt.Errorf("%w: %.100q is not below %s", ErrNotEntry, whole, root)
			}
			return name, nil
		},
	}
}

// Write writes the head and the lines.
func (d Dialect) Write(w io.Writer, pieces iter.Seq2[[]byte, error]) error {
	if !d.IsList {
		if _, err := io.WriteString(w, d.Head); err != nil {
			return err
		}
	}
	separator := "[\n"
	for piece, err := range pieces {
		if err != nil {
			return err
		}
		if !d.IsList {
			if _, err := w.Write(piece); err != nil {
				return err
			}
			continue
		}
		for line := range bytes.Lines(piece) {
			text := append([]byte(separator), bytes.TrimSuffix(line, []byte("\n"))...)
			if _, err := w.Write(text); err != nil {
				return err
			}
			separator = ",\n"
		}
	}
	if !d.IsList {
		return nil
	}
	_, err := io.WriteString(w, "\n]\n")
	return err
}

// Size returns how many bytes Write writes for lines of a number and a
// total size.
func (d Dialect) Size(lines, size int64) int64 {
	if !d.IsList {
		return int64(len(d.Head)) + size
	}
	return size + lines + int64(len("[\n]\n")) - 1 // a comma between each two
}
