package tasks

import (
	"fmt"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
	"github.com/stevedore-jobs/stevedore/tasks/globs"
)

// GenerateThumbnails makes a JPEG thumbnail of each image under the
// source's prefix. The key of a thumbnail contains the version of the
// image, so a second run writes only what has changed.
type GenerateThumbnails struct {
	Terms

	Source Storage `json:"source"`
	// Destination is where the thumbnails go; the source when absent.
	Destination *Storage `json:"destination,omitempty"`
	// Directory is the key prefix of the thumbnails, ending in a slash.
	// By default it is the directory of the destination, where one is
	// given that does not hold the images, and else
	// .stevedore/thumbnails/ in the directory of the source's prefix.
	Directory string `json:"directory,omitempty"`
	// Size is the longest side in pixels, 16 to 2048; 0 means 256.
	// Images are never enlarged.
	Size int `json:"size,omitempty"`
	// Quality is the JPEG quality, 1 to 100; 0 means 80.
	Quality int `json:"quality,omitempty"`
	// Include lists key prefixes and globs, which package globs
	// describes: if there are any, only keys that match one of them
	// count.
	Include []string `json:"include,omitempty"`
	// Exclude lists key prefixes and globs to leave out, in addition to
	// OwnDirectory and, in the same bucket, Directory.
	Exclude []string `json:"exclude,omitempty"`
}

// Kind implements Job.
func (GenerateThumbnails) Kind() string { return "generate-thumbnails" }

// Target returns where the thumbnails go: the storage and the
// directory, defaults filled in.
func (j GenerateThumbnails) Target() (Storage, string) {
	to := destination(j.Source, j.Destination)
	switch {
	case j.Directory != "":
		return to, j.Directory
	case j.Destination != nil && to.Prefix == to.Dir() && !holds(to, j.Source):
		return to, to.Dir()
	}
	return to, to.Dir() + OwnDirectory + "thumbnails/"
}

// holds reports whether the images of a source lie in the directory of
// a destination.
func holds(to, source Storage) bool {
	return to.Same(source) && strings.HasPrefix(source.Prefix, to.Dir())
}

// Spec returns the size and the quality, defaults filled in.
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
	var errs fields.Errors
	j.Source.Check(errs.In("source"))
	if j.Destination != nil {
		j.Destination.Check(errs.In("destination"))
	}
	size, quality := j.Spec()
	if size < 16 || size > 2048 {
		errs.Add("size", "%d is not within 16 to 2048 pixels", size)
	}
	if quality < 1 || quality > 100 {
		errs.Add("quality", "%d is not within 1 to 100", quality)
	}

	to, dir := j.Target()
	if dir != "" { // empty is the whole bucket of the destination
		errs.Output("directory", to.Dir(), dir, "/")
	}
	if to.Same(j.Source) && strings.HasPrefix(j.Source.Prefix, dir) {
		errs.Add("directory",
			"%q holds the images themselves, and what it holds gets no thumbnail", dir)
	}
	globs.Check(&errs, "include", j.Include)
	globs.Check(&errs, "exclude", j.Exclude)
	j.CheckTerms(&errs)
	return errs.Err(j.Kind())
}

// GenerateThumbnailsResult counts the thumbnails.
type GenerateThumbnailsResult struct {
	// Index is the key of the index. It has one JSON line an image:
	// {key, etag, thumbnail, width, height}.
	Index     string `json:"index"`
	Written   int64  `json:"written"`   // thumbnails made
	Unchanged int64  `json:"unchanged"` // thumbnails that existed already
	Skipped   int64  `json:"skipped"`   // objects that are no images by their names
	Failed    int64  `json:"failed"`    // images left out: they are on the error list
	// Unconditional means that the storage has unconditional_put, so
	// the index may have replaced one that another writer stored
	// meanwhile.
	Unconditional bool `json:"unconditional,omitempty"`
}

// Kind implements Result.
func (GenerateThumbnailsResult) Kind() string { return GenerateThumbnails{}.Kind() }

// Summary implements Result.
func (r GenerateThumbnailsResult) Summary() string {
	text := fmt.Sprintf("%s written, %d unchanged, %s left out, %s skipped",
		count(r.Written, "thumbnail"), r.Unchanged,
		count(r.Failed, "image"), count(r.Skipped, "other object"))
	if r.Unconditional {
		text += ", the index written without a condition"
	}
	return text
}
