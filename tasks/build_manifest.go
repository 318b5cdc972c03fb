package tasks

import (
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
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
	// Include lists key prefixes: if there are any, only keys that
	// begin with one of them count.
	Include []string `json:"include,omitempty"`
	// Exclude lists key prefixes to leave out, in addition to
	// OwnDirectory.
	Exclude []string `json:"exclude,omitempty"`
}

// Kind implements Job.
func (BuildManifest) Kind() string { return "build-manifest" }

// Target returns where the manifest goes: the storage and the key,
// defaults filled in.
func (j BuildManifest) Target() (Storage, string) {
	to := destination(j.Source, j.Destination)
	if j.Manifest == "" {
		return to, to.Dir() + "manifest.jsonl"
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
	errs.Output("manifest", to.Dir(), key, ".jsonl")
	errs.Prefixes("include", j.Include)
	errs.Prefixes("exclude", j.Exclude)
	j.CheckTerms(&errs)
	return errs.Err(j.Kind())
}

// BuildManifestResult describes the manifest.
type BuildManifestResult struct {
	Key       string `json:"key"`        // of the manifest
	Entries   int64  `json:"entries"`    // images in it
	Skipped   int64  `json:"skipped"`    // objects that are no images by their names
	Failed    int64  `json:"failed"`     // images left out: they are on the error list
	BytesRead int64  `json:"bytes_read"` // of image headers
	Size      int64  `json:"size"`       // of the manifest, bytes
	Unchanged bool   `json:"unchanged"`  // the bucket had exactly this manifest; nothing was written
	// Unconditional means that the storage has unconditional_put, so
	// the manifest may have replaced one that another writer stored
	// meanwhile.
	Unconditional bool `json:"unconditional,omitempty"`
}

// Kind implements Result.
func (BuildManifestResult) Kind() string { return BuildManifest{}.Kind() }

// Summary implements Result.
func (r BuildManifestResult) Summary() string {
	outcome := "written"
	switch {
	case r.Unchanged:
		outcome = "unchanged"
	case r.Unconditional:
		outcome = "written without a condition"
	}
	return fmt.Sprintf("%d entries in %s, %s left out, %s skipped, %s",
		r.Entries, r.Key, count(r.Failed, "image"), count(r.Skipped, "other object"), outcome)
}
