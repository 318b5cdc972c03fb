package annotation

import "iter"

// Subset is a part of a data set, for example the images for
// training.
type Subset struct {
	Name   string
	Schema *Schema // the same for all subsets, with labels that no shape uses

	// Images yields the images in the order of the document. It may
	// be ranged over again.
	Images iter.Seq[Image]

	// Shapes reads the document once more and calls do for each shape
	// of the subset's images, in order. place is the image's place in
	// Images, from 0.
	//
	// If do cannot write a shape, it returns the problem, and the
	// loop continues. An error ends the loop and is returned. Shapes
	// must be called only once, so that each problem is reported
	// once.
	Shapes func(do func(place int, im Image, sh Shape) (*Problem, error)) error
}
