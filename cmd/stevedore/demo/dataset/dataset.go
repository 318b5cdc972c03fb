// Package dataset draws the data set of the demo: small harbour scenes,
// and annotations with the exact place of every object. So the results
// of jobs can be checked exactly.
//
// It knows shapes, pictures and CVAT's XML. It knows no bucket, no
// queue and no job: the caller stores the bytes.
package dataset

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// The keys of the data set. All but the annotations are under Prefix.
const (
	Prefix         = "scenes/"
	AnnotationsKey = "annotations/annotations.xml" // CVAT for images 1.1
	CorruptKey     = Prefix + "corrupt.jpg"        // ends inside its header; not annotated
	NotesKey       = Prefix + "notes.txt"          // not an image
)

const notes = "The pictures in this directory are drawn, " +
	"so the place of every object in them is known.\n"

// Facts counts what the data set holds, for comparison with the results
// of jobs.
type Facts struct {
	Keys    int // objects in the bucket: images, annotations and the rest
	Images  int // images that decode; all are annotated, one has no object
	Corrupt int // images by their names that do not decode
	Others  int // keys under Prefix that are no images by their names
	Objects int // annotated objects on the images
	Labels  int // labels of the annotations, with the unused one
}

// Count counts the data set.
func Count() Facts {
	f := Facts{Corrupt: 1, Others: 1, Labels: len(Labels())}
	for _, s := range Images() {
		f.Images++
		f.Objects += len(s.Objects)
	}
	f.Keys = f.Images + f.Corrupt + f.Others + 1
	return f
}

// Labels returns the labels of the annotations in their order. No
// object has the last one.
func Labels() []string { return []string{Circle, Rectangle, Triangle, "hexagon"} }

// Draw makes the data set and calls put with every object, in key
// order. The same build always gives the same bytes.
func Draw(put func(key string, data []byte) error) error {
	objects := map[string]func() ([]byte, error){
		AnnotationsKey: func() ([]byte, error) { return annotations(Images()) },
		NotesKey:       func() ([]byte, error) { return []byte(notes), nil },
		CorruptKey:     corrupt,
	}
	for _, m := range Images() {
		objects[m.Key] = m.encode
	}
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		data, err := objects[key]()
		if err != nil {
			return fmt.Errorf("draw %s: %w", key, err)
		}
		if err := put(key, data); err != nil {
			return err
		}
	}
	return nil
}

// corrupt returns the beginning of a JPEG. It ends inside the
// quantization tables, before the size.
func corrupt() ([]byte, error) {
	data, err := Image{Width: 16, Height: 16, cutout: true}.encode()
	if err != nil {
		return nil, err
	}
	return data[:100], nil
}

// Write draws the data set into a directory. Keys become paths.
func Write(dir string) error {
	return Draw(func(key string, data []byte) error {
		path := filepath.Join(dir, filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, data, 0o644)
	})
}
