// Package annotation is the neutral model of annotations on images:
// what a format's reader produces and a format's writer consumes.
//
// It knows the geometry of outlines and masks. It knows no format, no
// bucket and no job.
package annotation

// DefaultSubset is the subset of images whose document names none.
const DefaultSubset = "default"

// Schema is what a document declares before its first image.
type Schema struct {
	Labels []Label
	places map[string]int
}

// Label is a category. It is declared even if no shape uses it
// (GEN-05).
type Label struct {
	Name       string
	Attributes map[string]AttributeType // by attribute name
}

// Add adds a label. It returns false and adds nothing if the schema
// has a label with this name already.
func (s *Schema) Add(l Label) bool {
	if _, exists := s.places[l.Name]; exists {
		return false
	}
	if s.places == nil {
		s.places = map[string]int{}
	}
	s.places[l.Name] = len(s.Labels)
	s.Labels = append(s.Labels, l)
	return true
}

// Find returns the place in Labels of the label with a name.
func (s *Schema) Find(name string) (place int, found bool) {
	place, found = s.places[name]
	return place, found
}

// Image is an image without its shapes.
type Image struct {
	Name          string // in the document; an image directory before it makes its key
	Subset        string // never empty
	Width, Height int    // pixels, as displayed (GEN-03); 0 if the document does not say
	// File is the name in the exported data set, relative to the
	// subset's images. The job sets it; readers leave it empty.
	File string
}

// Kind is the kind of a shape.
type Kind string

// The kinds of shapes.
const (
	KindBox     Kind = "box"
	KindPolygon Kind = "polygon"
	KindEllipse Kind = "ellipse"
	KindMask    Kind = "mask"
)

// Shape is an area marked on an image. It may reach beyond the image.
type Shape struct {
	Kind       Kind
	Category   int     // place in Schema.Labels
	Outline    []Point // a closed ring without the first point at its end; nil if Mask is set
	Mask       *Mask
	Rotation   float64 // degrees clockwise; Outline is already turned by it
	Occluded   bool
	Group      int64 // 0 means no group
	ZOrder     int64
	Attributes []Attribute
}

// AttributeType is the type of an attribute's values.
type AttributeType int

// The types of attributes.
const (
	Text   AttributeType = iota
	Number               // the value may still be any text
	Bool                 // the value is true or false, or any text
)

// Attribute is a property of a shape.
type Attribute struct {
	Name, Value string
	Type        AttributeType // Text if the label does not declare it
}
