package results

// ManifestReport says what kinds of images a job found and what its
// reads took.
//
// After a retry of failed images it covers both runs. Images that were
// retried and are entries with a warning are not counted again.
type ManifestReport struct {
	// Types counts the entries by the type of their content, such as
	// "jpeg" or "point-cloud".
	Types map[string]int64 `json:"types,omitempty"`
	// Resolutions counts the images by their pixels, the smallest
	// first. It has no classes without images.
	Resolutions []Resolution `json:"resolutions,omitempty"`
	// MismatchedExtensions counts the entries whose content is of
	// another type than their extension says, the most frequent first.
	MismatchedExtensions []Mismatch `json:"mismatched_extensions,omitempty"`
	// Duplicates tells of entries with the same content; absent if there
	// are none, or if it cannot be known: it takes the ETags of S3 in
	// the lines of CVAT's dialect. After a retry it is still that of the
	// run before.
	Duplicates *Duplicates `json:"duplicates,omitempty"`
	// Requests counts the reads of objects. It has no listings, and not
	// what the client of a cloud repeats after an error.
	Requests int64 `json:"requests"`
	// BytesWhole is how many bytes the images have in the bucket, those
	// that failed and context images included: what a download would
	// have been. BytesRead of the result is what the job has read.
	BytesWhole int64 `json:"bytes_whole"`
}

// Resolution is a class of images.
type Resolution struct {
	// Below is the number of megapixels that all images of the class are
	// below, and those of the class before are not. The class of the
	// largest images has none.
	Below  float64 `json:"below_megapixels,omitempty"`
	Images int64   `json:"images"`
}

// Mismatch counts entries of a type whose names have an
// extension of another one.
type Mismatch struct {
	Extension string `json:"extension"` // in lower case, with its dot
	Type      string `json:"type"`      // of the content
	Images    int64  `json:"images"`
}

// Duplicates are entries whose objects have the same ETag and size. On
// S3 these have the same content. Equal content that was uploaded in
// different parts, or encrypted with keys of KMS, has different ETags
// and is not found.
type Duplicates struct {
	Groups  int64 `json:"groups"`  // sets of entries with the same content
	Entries int64 `json:"entries"` // in all groups
	// Bytes is how much smaller the data would be with one image of
	// each group.
	Bytes int64 `json:"bytes"`
	// Largest are the 20 groups with the most entries.
	Largest []DuplicateGroup `json:"largest"`
}

// DuplicateGroup is a set of entries with the same content.
type DuplicateGroup struct {
	Entries int64  `json:"entries"`
	Size    int64  `json:"size"` // of one object, bytes
	ETag    string `json:"etag"`
	// Keys are the first 5 of the entries, in the order of the manifest.
	Keys []string `json:"keys"`
}
