package annotation

import "fmt"

// The limits of a document. Everything in it comes from strangers, and
// a few bytes can ask for much work or memory. Each limit is several
// times what the largest known projects have.
const (
	MaxDocument = 1 << 30    // bytes
	MaxElements = 50_000_000 // of XML
	MaxDepth    = 64         // of elements inside each other
	MaxFields   = 100        // attributes of one XML element
	MaxTagNames = 64 << 10   // bytes of one tag beside the values of its attributes
	MaxToken    = 8 << 20    // bytes of one tag, comment or piece of text

	MaxLabels          = 50_000
	MaxLabelAttributes = 50_000  // of all labels together
	MaxLabelNames      = 4 << 20 // bytes of the names of all labels and their attributes
	MaxImages          = 1_000_000
	MaxSubsets         = 100       // each takes one scan of the document
	MaxScanned         = 16 << 30  // bytes of all scans
	MaxDirectories     = 1_000_000 // in the names of all images

	MaxName       = 1024          // bytes of the name of an image, label or attribute
	MaxSubsetName = 100           // bytes
	MaxSide       = 1_000_000     // pixels
	MaxPixels     = 1_000_000_000 // of an image; pycocotools counts them in 32 bits

	MaxShapes     = 100_000   // on one image
	MaxAttributes = 1_000     // of one shape
	MaxText       = 256 << 10 // bytes of all attributes of one shape
	MaxPoints     = 200_000   // of one polygon; the area of more could overflow
	MaxRuns       = 1 << 21   // of one mask, row by row and column by column
	MaxMaskWork   = 1 << 30   // runs and columns of all masks of a subset
)

// TooLarge returns the error of a document that exceeds a limit, for
// example of 64 elements inside each other. The caller sets the line
// and the image if it knows them.
func TooLarge(limit int, what string) *DocumentError {
	return &DocumentError{
		Code: "TooLarge", Detail: fmt.Sprintf("more than %d %s", limit, what),
		Fix: "Export fewer images at a time, for example task by task or job by job.",
	}
}
