// Package cocotest checks files in the format COCO instances against
// the format's rules. Only tests import it.
//
// It reads the JSON by itself and shares no code with package coco.
package cocotest

import (
	"encoding/json"
	"testing"
)

// File is a file of COCO instances.
type File struct {
	Info        map[string]any `json:"info"`
	Licenses    []any          `json:"licenses"`
	Images      []Image        `json:"images"`
	Annotations []Annotation   `json:"annotations"`
	Categories  []Category     `json:"categories"`
}

// Image is an image of a File.
type Image struct {
	ID       int64  `json:"id"`
	Width    int    `json:"width"`
	Height   int    `json:"height"`
	FileName string `json:"file_name"`
}

// Category is a category of a File.
type Category struct {
	ID    int64   `json:"id"`
	Name  string  `json:"name"`
	Super *string `json:"supercategory"`
}

// Annotation is an annotation of a File.
type Annotation struct {
	ID           int64           `json:"id"`
	ImageID      int64           `json:"image_id"`
	CategoryID   int64           `json:"category_id"`
	IsCrowd      *int            `json:"iscrowd"`
	Area         *float64        `json:"area"`
	BBox         []float64       `json:"bbox"`
	Segmentation json.RawMessage `json:"segmentation"`
	Attributes   map[string]any  `json:"attributes"`
	Ignore       *int            `json:"ignore"`
}

// Mask is the segmentation of an annotation that is a mask.
type Mask struct {
	Size   [2]int `json:"size"` // height, width
	Counts string `json:"counts"`
}

// Polygon returns the rings of an annotation, or nil if it is a mask.
func (a Annotation) Polygon() (rings [][]float64) {
	_ = json.Unmarshal(a.Segmentation, &rings)
	return rings
}

// Mask returns the mask of an annotation, or an empty one if it is a
// polygon.
func (a Annotation) Mask() (m Mask) {
	_ = json.Unmarshal(a.Segmentation, &m)
	return m
}

// Parse reads a file. The test fails if it is not JSON.
func Parse(t testing.TB, data []byte) File {
	t.Helper()
	var f File
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// Unpack reads COCO's compressed string of run lengths.
func Unpack(s string) []uint32 {
	var counts []uint32
	for at := 0; at < len(s); {
		var v int64
		for shift := 0; ; shift += 5 {
			group := int64(s[at]) - 48
			at++
			v |= group & 31 << shift
			if group&32 != 0 {
				continue
			}
			if group&16 != 0 {
				v |= -1 << (shift + 5)
			}
			break
		}
		if len(counts) > 2 {
			v += int64(counts[len(counts)-2])
		}
		counts = append(counts, uint32(v))
	}
	return counts
}
