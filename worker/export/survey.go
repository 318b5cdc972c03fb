package export

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/export/formats"
)

// survey scans the document for its images and subsets. It fails if
// the document is not valid.
//
// Until the run ends, it takes from the memory budget what the document
// needs. Most documents have room in the first share. For the others
// the first scan only counts, because a run that waits for more memory
// must hold none. They are scanned again.
func (r *run) survey(ctx context.Context) (*dataset, error) {
	share := min(firstShare, r.memory.Largest())
	for {
		release, err := r.memory.Acquire(ctx, share)
		if err != nil {
			return nil, err
		}
		r.release = release
		d, need, err := r.scanImages(ctx, share)
		if err != nil || need <= share {
			return d, err
		}
		release()
		share = need
	}
}

// scanImages scans the document for its images. It returns how much
// memory the run needs. If that is more than share, the data set is
// empty.
func (r *run) scanImages(ctx context.Context, share int64) (*dataset, int64, error) {
	d := &dataset{listed: r.listed}
	count := census{
		base:       min(baseMemory, r.memory.Largest()*3/4),
		withImages: r.source != nil, directory: string(r.images),
	}
	schema, err := r.document.scan(ctx, func(_ formats.Reader, im annotation.Image) error {
		count.add(im.Name)
		need := count.memory()
		switch {
		case need > r.memory.Largest():
			return r.tooManyImages(count)
		case need > share:
			d = &dataset{listed: r.listed}
			return nil
		}
		return d.add(im)
	})
	if err != nil {
		return nil, 0, err
	}

	d.schema = schema
	if int64(len(d.subsets))*r.document.size > annotation.MaxScanned {
		return nil, 0, r.document.failed(annotation.TooLarge(annotation.MaxScanned, fmt.Sprintf(
			"bytes to read: the document has %d bytes, and is read for each of its %d subsets",
			r.document.size, len(d.subsets))))
	}
	if len(d.subsets) == 0 {
		d.subsets = []string{annotation.DefaultSubset}
	}
	slices.SortFunc(d.subsets, func(a, b string) int {
		return strings.Compare(r.writer.AnnotationsPath(a), r.writer.AnnotationsPath(b))
	})
	return d, count.memory(), nil
}

// tooManyImages returns the error of a document that never gets the
// memory that it needs.
func (r *run) tooManyImages(count census) error {
	_, err := r.memory.Claim(count.memory())
	return &annotation.DocumentError{
		Code: "TooLarge", Detail: fmt.Sprintf("%d images or more: %v", count.images, err),
		Fix: "Export fewer images at a time, for example task by task, or raise the limit.",
	}
}

// What a run takes of the memory budget at most, in bytes. A test
// compares it with what is measured.
const (
	// baseMemory is for the labels, and for the largest shape while it is
	// read and written. Few documents need that much, so a run takes less
	// of a budget of less than 86 MiB.
	baseMemory      = 48 << 20
	imageMemory     = 360 // an image without its names
	directoryMemory = 160
	includedMemory  = 400 // more for an image that is included

	firstShare = baseMemory + 8<<20
)

// census counts the images of a document for the memory that they take.
type census struct {
	base       int64 // bytes that are taken beside the images
	withImages bool
	directory  string // before the names
	images     int64
	names      int64  // bytes
	paths      int64  // directories, at least as many as there are
	last       string // name
}

func (c *census) add(name string) {
	c.images++
	name = name[:min(len(name), annotation.MaxName)] // an image with a longer one is left out
	c.names += int64(len(name))
	c.paths += int64(strings.Count(name[commonDirectories(c.last, name):], "/"))
	c.last = name
}

// commonDirectories returns how many bytes of a name are directories
// that another one has too.
func commonDirectories(other, name string) int {
	n := 0
	for i := 0; i < len(name) && i < len(other) && name[i] == other[i]; i++ {
		if name[i] == '/' {
			n = i + 1
		}
	}
	return n
}

// memory returns how much the run needs, as far as images are counted.
func (c *census) memory() int64 {
	n := c.base + c.images*imageMemory + 2*c.names +
		min(c.paths, annotation.MaxDirectories)*directoryMemory
	if c.withImages { // the source's keys are held, and then the paths in the archive
		n += c.images*(includedMemory+int64(len(c.directory))) + c.names
	}
	return n
}
