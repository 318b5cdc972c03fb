// Package results has what results of jobs are made of. It knows no job.
package results

// Twins are entries of a manifest whose names differ only in case
// or in their Unicode form. File systems of Windows and macOS take
// such names for the same.
type Twins struct {
	// Entries is how many entries have such a name.
	Entries int64 `json:"entries"`
	// Groups is how many different names they would be without
	// these differences.
	Groups int64 `json:"groups"`
	// Examples are the names of some groups, at most 20.
	Examples [][]string `json:"examples"`
}

// OrderFit says how the entries of a manifest fit a predefined
// order.
type OrderFit struct {
	// Unlisted counts the entries that the order does not name.
	// They are at the end of the manifest.
	Unlisted int64 `json:"unlisted"`
	// Missing counts the keys of the order that are no entries.
	Missing int64 `json:"missing"`
	// Examples are some of the missing keys, at most 20.
	Examples []string `json:"examples,omitempty"`
}

// ManifestChanges compares a manifest with the one before, by keys,
// ETags and sizes.
type ManifestChanges struct {
	Added   int64 `json:"added"`   // entries of new images
	Changed int64 `json:"changed"` // entries of images that were stored anew
	Kept    int64 `json:"kept"`    // entries that were taken over or are the same
	// Removed counts entries of the earlier manifest that are none now:
	// their objects are gone, left out or on the error list.
	Removed int64 `json:"removed"`
	// RemovedKeys are the first 100 of them that are gone or left out;
	// absent if planning was interrupted.
	RemovedKeys []string `json:"removed_keys,omitempty"`
}

// ManifestEstimate is what a run would read of images, if the heads are
// as long as usual.
type ManifestEstimate struct {
	Requests int64 `json:"requests"`
	Bytes    int64 `json:"bytes"`
}
