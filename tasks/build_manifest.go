package tasks

import (
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
	"github.com/stevedore-jobs/stevedore/tasks/results"
)

// BuildManifest makes CVAT's dataset manifest of the images under the
// prefix of the source, and stores it in a bucket.
type BuildManifest struct {
	Terms

	Source Storage `json:"source"`
	// Destination is where the manifest goes; the source when absent.
	Destination *Storage `json:"destination,omitempty"`
	// Manifest is the key to write, by default manifest.jsonl in the
	// directory of the destination's prefix. CVAT resolves entries from
	// the manifest's own directory, so it must be in the directory of
	// the images or above it (formats: CMAN-04).
	Manifest string `json:"manifest,omitempty"`
	// Inventory, if set, is a report that lists the objects. The bucket
	// is not listed then. Objects that came after the report are not in
	// the manifest.
	Inventory *Inventory `json:"inventory,omitempty"`
	// Include lists key prefixes and globs, which package globs
	// describes: if there are any, only keys that match one of them
	// count.
	Include []string `json:"include,omitempty"`
	// Exclude lists key prefixes and globs to leave out, in addition to
	// OwnDirectory.
	Exclude []string `json:"exclude,omitempty"`
	// MinSize and MaxSize are how large an object must and may be, in
	// bytes. 0 means that there is no such limit.
	MinSize int64 `json:"min_size,omitempty"`
	MaxSize int64 `json:"max_size,omitempty"`
	// MaxFailed is which share of the images may fail, 0 to 1; 0.2 when
	// absent. If more fail, the job fails and writes nothing. Objects
	// that are left out because of their names or sizes have not
	// failed.
	MaxFailed *float64 `json:"max_failed,omitempty"`
	// Sorting is the order of the entries: lexicographical, which is
	// the default, natural or predefined.
	Sorting string `json:"sorting,omitempty"`
	// Order is the order of the entries if Sorting is predefined, and
	// is absent otherwise.
	Order *ManifestOrder `json:"order,omitempty"`
	// Unopenable says what becomes of images that CVAT cannot open,
	// such as HEIC: leave-out, which is the default, or include.
	Unopenable string `json:"unopenable,omitempty"`
	// Dimension is 2d, which is the default, or 3d. In 3D the entries
	// are point clouds (.pcd, and .bin of Velodyne scanners), and images
	// are context images of these.
	Dimension string `json:"dimension,omitempty"`
	// Dialect is for which tool the manifest is: cvat, which is the
	// default, sagemaker or label-studio.
	Dialect string `json:"dialect,omitempty"`
	// Plain leaves out the keys etag and size of each entry, which CVAT
	// ignores. Without them the next run reads all images again.
	Plain bool `json:"plain,omitempty"`
	// DryRun reads no image and writes nothing. The result says what
	// would change, and what a run would read.
	DryRun bool `json:"dry_run,omitempty"`
	// Video is the key of a video. The manifest is that of this video
	// alone, with its key frames. The worker needs an ffprobe for it.
	Video string `json:"video,omitempty"`
	// Checksum gives entries the MD5 of the pixels, as CVAT computes it.
	// All of each such image is read. Only PNGs that are not interlaced,
	// and BMP, PNM and TIFF without compression get one.
	Checksum bool `json:"checksum,omitempty"`
}

// Kind implements Job.
func (BuildManifest) Kind() string { return "build-manifest" }

// Target returns where the manifest goes: the storage and the key,
// defaults filled in.
func (j BuildManifest) Target() (Storage, string) {
	to := destination(j.Source, j.Destination)
	if j.Manifest == "" {
		return to, to.Dir() + "manifest" + j.extension()
	}
	return to, j.Manifest
}

// Validate implements Job.
func (j BuildManifest) Validate() error {
	var errs fields.Errors
	j.Source.Check(errs.In("source"))
	if j.Destination != nil {
		j.Destination.Check(errs.In("destination"))
	}
	to, key := j.Target()
	errs.Output("manifest", to.Dir(), key, j.extension())
	j.checkInventory(&errs)
	j.checkSelection(&errs)
	j.checkSorting(&errs)
	j.checkForm(&errs)
	j.checkVideo(&errs)
	j.CheckTerms(&errs)
	return errs.Err(j.Kind())
}

// BuildManifestResult describes the manifest.
type BuildManifestResult struct {
	Key       string `json:"key"`        // of the manifest
	Entries   int64  `json:"entries"`    // images in it
	Skipped   int64  `json:"skipped"`    // objects that are no images by their names
	Failed    int64  `json:"failed"`     // images left out: they are on the error list
	BytesRead int64  `json:"bytes_read"` // of images, mostly of their headers
	Size      int64  `json:"size"`       // of the manifest, bytes
	Unchanged bool   `json:"unchanged"`  // the bucket had exactly this manifest; nothing was written
	// Unconditional means that the storage has unconditional_put: the
	// manifest may have replaced that of another writer.
	Unconditional bool `json:"unconditional,omitempty"`
	// SkippedBy counts the objects that are no entries: those of Skipped
	// by a reason such as "excluded", those of Failed by the code on the
	// error list, such as "corrupt-image", or by what is wrong with the
	// key, such as "backslash".
	SkippedBy map[string]int64 `json:"skipped_by,omitempty"`
	// Report says what kinds of images there are and what reading them
	// took.
	Report *results.ManifestReport `json:"report,omitempty"`
	// Warnings counts the entries with a warning on the error list.
	Warnings int64 `json:"warnings,omitempty"`
	// WithoutChecksum counts the entries without a checksum, if the job
	// asks for checksums.
	WithoutChecksum int64 `json:"without_checksum,omitempty"`
	// Twins tells of entries whose names some tools take for the same;
	// absent if there are none.
	Twins *results.Twins `json:"twins,omitempty"`
	// Order says how the entries fit the predefined order, if there is
	// one.
	Order *results.OrderFit `json:"order,omitempty"`
	// Changes compares with the manifest that was there before; absent
	// if it could not be read, or was sorted in another order.
	Changes *results.ManifestChanges `json:"changes,omitempty"`
	// Estimate is set by a dry run. Entries then counts those that the
	// manifest would have if every image can be read.
	Estimate *results.ManifestEstimate `json:"estimate,omitempty"`
}

// Kind implements Result.
func (BuildManifestResult) Kind() string { return BuildManifest{}.Kind() }

// Summary implements Result.
func (r BuildManifestResult) Summary() string {
	outcome := "written"
	switch {
	case r.Estimate != nil:
		outcome = fmt.Sprintf("nothing written: a dry run; a run would read %s in %d bytes",
			count(r.Estimate.Requests, "image"), r.Estimate.Bytes)
	case r.Unchanged:
		outcome = "unchanged"
	case r.Unconditional:
		outcome = "written without a condition"
	}
	text := fmt.Sprintf("%d entries in %s, %s left out, %s skipped, %s",
		r.Entries, r.Key, count(r.Failed, "image"), count(r.Skipped, "other object"), outcome)
	if r.Twins != nil {
		text += fmt.Sprintf(", %d entries with names that differ only in case or Unicode form",
			r.Twins.Entries)
	}
	if c := r.Changes; c != nil {
		text += fmt.Sprintf("; %d added, %d changed, %d kept, %d removed",
			c.Added, c.Changed, c.Kept, c.Removed)
	}
	return text
}
