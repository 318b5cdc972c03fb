// Package dataset draws the demo's sample data set: small harbour scenes in
// which the place of every object is known, with the annotations that belong
// to them. What a job makes of it can so be checked exactly.
//
// It knows shapes, pictures and CVAT's XML. It knows no bucket, no queue and
// no job; whoever calls it stores the bytes.
package dataset

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// The keys of the data set. Everything but the annotations lies under Prefix.
const (
	Prefix         = "scenes/"
	AnnotationsKey = "annotations/annotations.xml" // CVAT for images 1.1
	CorruptKey     = Prefix + "corrupt.jpg"        // a JPEG that ends inside its header; not annotated
	NotesKey       = Prefix + "notes.txt"          // no image at all
)

const notes = "The pictures in this directory are drawn, so the place of every object in them is known.\n"

// Facts are the numbers of the data set, for comparison with what jobs
// report.
type Facts struct {
	Keys    int // objects in the bucket: images, annotations and the rest
	Images  int // that decode; all of them are annotated, one with nothing on it
	Corrupt int // images by their names, but broken
	Others  int // keys under Prefix that are no images by their names
	Objects int // annotated on the images
	Labels  int // in the annotations, the unused one too
}

// Count adds up the facts.
func Count() Facts {
	f := Facts{Corrupt: 1, Others: 1, Labels: len(Labels())}
	for _, s := range Images() {
		f.Images++
		f.Objects += len(s.Objects)
	}
	f.Keys = f.Images + f.Corrupt + f.Others + 1
	return f
}

// Labels are the labels of the annotations in their order. The last one is on
// no object.
func Labels() []string { return []string{Circle, Rectangle, Triangle, "hexagon"} }

// Draw makes the data set and hands every object to put, in key order. The
// same build gives the same bytes every time.
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

// corrupt is the beginning of a JPEG: it ends inside the quantization tables,
// before the size.
func corrupt() ([]byte, error) {
	data, err := Image{Width: 16, Height: 16, cutout: true}.encode()
	if err != nil {
		return nil, err
	}
	return data[:100], nil
}

// Write draws the data set into a directory, keys as paths.
func Write(dir string) error {
	return Draw(func(key string, data []byte) error {
		path := filepath.Join(dir, filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, data, 0o644)
	})
}
