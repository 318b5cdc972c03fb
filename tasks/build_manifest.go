package tasks

import "fmt"

// BuildManifest makes CVAT's dataset manifest of the images under the
// source's prefix and puts it into a bucket.
type BuildManifest struct {
	Terms

	Source Storage `json:"source"`
	// Destination is where the manifest goes; the source when absent.
	Destination *Storage `json:"destination,omitempty"`
	// Manifest is the key to write, by default manifest.jsonl in the
	// directory of the destination's prefix. CVAT resolves entries from the
	// manifest's own directory, so it must lie at or above the images
	// (formats: CMAN-04).
	Manifest string `json:"manifest,omitempty"`
	// Exclude lists key prefixes to leave out, besides OwnDirectory.
	Exclude []string `json:"exclude,omitempty"`
}

// Kind implements Job.
func (BuildManifest) Kind() string { return "build-manifest" }

// Target is where the manifest goes: the destination and the key, defaults
// filled in.
func (j BuildManifest) Target() (Storage, string) {
	to := target(j.Source, j.Destination)
	if j.Manifest == "" {
		return to, to.Dir() + "manifest.jsonl"
	}
	return to, j.Manifest
}

// Validate implements Job.
func (j BuildManifest) Validate() error {
	f := newFaults()
	j.Source.check(f.in("source"))
	if j.Destination != nil {
		j.Destination.check(f.in("destination"))
	}
	to, key := j.Target()
	f.output("manifest", to, key, ".jsonl")
	f.prefixes("exclude", j.Exclude)
	j.Terms.check(f)
	return f.err(j.Kind())
}

func (j BuildManifest) mapSecrets(m *secretMap) Job {
	m.storage(&j.Source)
	m.optional(&j.Destination)
	return j
}

// BuildManifestResult tells what the manifest holds.
type BuildManifestResult struct {
	Key       string `json:"key"`        // of the manifest
	Entries   int64  `json:"entries"`    // images in it
	Skipped   int64  `json:"skipped"`    // objects that are no images by their names
	Failed    int64  `json:"failed"`     // images on the error list
	BytesRead int64  `json:"bytes_read"` // of image headers
	Size      int64  `json:"size"`       // of the manifest, bytes
	Unchanged bool   `json:"unchanged"`  // the bucket already held exactly this manifest; nothing was written
}

// Kind implements Result.
func (BuildManifestResult) Kind() string { return BuildManifest{}.Kind() }

// Summary implements Result.
func (r BuildManifestResult) Summary() string {
	return fmt.Sprintf("%d entries in %s, %d failed, %d skipped, %s", r.Entries, r.Key, r.Failed, r.Skipped, written(r.Unchanged))
}
