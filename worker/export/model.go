package export

// schema is what a document declares before its first image.
type schema struct {
	labels []label
	places map[string]int // label name to place in labels
	subset string         // of images that name none
}

// label is a category. Its place in schema.labels is its category id less 1,
// used or not (GEN-05).
type label struct {
	name   string
	inputs map[string]string // attribute name to CVAT's input_type: select, checkbox, radio, number, text
}

// header is an image without its shapes.
type header struct {
	name          string // as CVAT gives it; with the image directory before it, its key
	subset        string // never empty
	width, height int    // pixels, as displayed (GEN-03); 0 when the document does not say
}

// shape is something marked on an image, in a form that COCO instances can
// hold.
type shape struct {
	kind       string  // the XML element it came from
	category   int     // place in schema.labels
	ring       []point // outline; nil when mask is set
	mask       *mask
	rotation   float64 // degrees clockwise, of boxes and ellipses; the ring is already turned
	occluded   bool
	group      int64 // 0 is none
	zOrder     int64
	attributes []attribute
}

// attribute is a property of a shape that the document's labels define.
type attribute struct {
	name, value string
	input       string // CVAT's input_type; empty when the label does not declare it
}
