package tasks

import (
	"fmt"
	"strings"
)

// GenerateThumbnails makes a JPEG thumbnail of each image under the source's
// prefix. A thumbnail's key tells which version of the image it shows, so a
// second run writes only what changed.
type GenerateThumbnails struct {
	Terms

	Source Storage `json:"source"`
	// Destination is where the thumbnails go; the source when absent.
	Destination *Storage `json:"destination,omitempty"`
	// Directory is the key prefix of the thumbnails, ending in a slash; by
	// default .stevedore/thumbnails/ in the directory of the destination's
	// prefix.
	Directory string `json:"directory,omitempty"`
	// Size is the longest side in pixels, 16 to 2048; 0 means 256. Images are
	// never enlarged.
	Size int `json:"size,omitempty"`
	// Quality is the JPEG quality, 1 to 100; 0 means 80.
	Quality int `json:"quality,omitempty"`
	// Exclude lists key prefixes to leave out, besides OwnDirectory and, in
	// the same bucket, Directory.
	Exclude []string `json:"exclude,omitempty"`
}

// Kind implements Job.
func (GenerateThumbnails) Kind() string { return "generate-thumbnails" }

// Target is where the thumbnails go: the destination and the directory,
// defaults filled in.
func (j GenerateThumbnails) Target() (Storage, string) {
	to := target(j.Source, j.Destination)
	if j.Directory == "" {
		return to, to.Dir() + OwnDirectory + "thumbnails/"
	}
	return to, j.Directory
}

// Spec is the size and quality, defaults filled in.
func (j GenerateThumbnails) Spec() (size, quality int) {
	size, quality = j.Size, j.Quality
	if size == 0 {
		size = 256
	}
	if quality == 0 {
		quality = 80
	}
	return size, quality
}

// Validate implements Job.
func (j GenerateThumbnails) Validate() error {
	f := newFaults()
	j.Source.check(f.in("source"))
	if j.Destination != nil {
		j.Destination.check(f.in("destination"))
	}
	size, quality := j.Spec()
	if size < 16 || size > 2048 {
		f.add("size", "%d is not within 16 to 2048 pixels", size)
	}
	if quality < 1 || quality > 100 {
		f.add("quality", "%d is not within 1 to 100", quality)
	}
	to, dir := j.Target()
	f.output("directory", to, dir, "/")
	if to.Same(j.Source) && strings.HasPrefix(j.Source.Prefix, dir) { // the directory is left out of the listing
		f.add("directory", "%q holds the images themselves: none would be left to show", dir)
	}
	f.prefixes("exclude", j.Exclude)
	j.Terms.check(f)
	return f.err(j.Kind())
}

func (j GenerateThumbnails) mapSecrets(m *secretMap) Job {
	m.storage(&j.Source)
	m.optional(&j.Destination)
	return j
}

// GenerateThumbnailsResult tells what was made.
type GenerateThumbnailsResult struct {
	Index     string `json:"index"`     // key of the index: one JSON line an image, {key, etag, thumbnail, width, height}
	Written   int64  `json:"written"`   // thumbnails made
	Unchanged int64  `json:"unchanged"` // thumbnails that were there already
	Skipped   int64  `json:"skipped"`   // objects that are no images by their names
	Failed    int64  `json:"failed"`    // images on the error list
}

// Kind implements Result.
func (GenerateThumbnailsResult) Kind() string { return GenerateThumbnails{}.Kind() }

// Summary implements Result.
func (r GenerateThumbnailsResult) Summary() string {
	return fmt.Sprintf("%d thumbnails written, %d unchanged, %d failed, %d skipped", r.Written, r.Unchanged, r.Failed, r.Skipped)
}
