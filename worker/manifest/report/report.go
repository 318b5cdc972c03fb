// Package report says what kinds of images a job has found, and what
// its reads took.
//
// Each object adds to counts of its job. This package makes their names
// and reads them. It knows no bucket.
package report

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks/results"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// The names of the counts. Those that end in a colon have more behind
// it: a type, a class of resolution, or an extension and a type.
const (
	countType     = "type:"
	countClass    = "class:"
	countMismatch = "mismatch:"
	countRequests = "requests"
	countBytes    = "bytes-whole"
	// CountWithout is that of entries without a checksum, of a job that
	// asks for checksums.
	CountWithout = "entries-without-checksum"
)

// cloud stands for point clouds among the types.
const cloud = "point-cloud"

// bounds are where the classes of resolution end, in pixels. A last
// class has all larger images.
var bounds = [...]int64{100_000, 500_000, 2_000_000, 8_000_000, 24_000_000, 100_000_000}

// Image is what becomes known of one object.
type Image struct {
	Requests int64 // that it took
	IsImage  bool  // or a point cloud: it is an entry or has failed
	IsEntry  bool
	// Of an entry: its type and size. A point cloud has no type.
	Type          head.Type
	Width, Height int
	// WithoutChecksum says that the entry was to have a checksum.
	WithoutChecksum bool
}

// Entry notes that the object is an entry of a type and size.
func (i *Image) Entry(t head.Type, width, height int) {
	i.IsEntry, i.Type, i.Width, i.Height = true, t, width, height
}

// Counts returns what the object adds to counts of its job. key and size
// are those of the object.
func (i *Image) Counts(key string, size int64) map[string]int64 {
	c := map[string]int64{countBytes: size}
	if i.Requests > 0 {
		c[countRequests] = i.Requests
	}
	switch {
	case !i.IsEntry:
		return c
	case i.Type == "":
		c[countType+cloud] = 1
		return c
	}
	if i.WithoutChecksum {
		c[CountWithout] = 1
	}
	pixels, class := int64(i.Width)*int64(i.Height), 0
	for class < len(bounds) && pixels >= bounds[class] {
		class++
	}
	c[countType+string(i.Type)] = 1
	c[countClass+strconv.Itoa(class)] = 1
	if !imagehead.FitsName(key, i.Type) {
		extension := strings.ToLower(imagehead.Extension(key))
		c[countMismatch+extension+":"+string(i.Type)] = 1
	}
	return c
}

// Of returns the report of a job with these counts. earlier is that of
// the run whose failed images were retried, or nil.
func Of(counts map[string]int64, earlier *results.ManifestReport) *results.ManifestReport {
	r := &results.ManifestReport{
		Types: map[string]int64{}, Requests: counts[countRequests], BytesWhole: counts[countBytes],
	}
	var classes [len(bounds) + 1]int64
	pairs := map[string]int64{}
	for name, n := range counts {
		if t, ok := strings.CutPrefix(name, countType); ok {
			r.Types[t] += n
		}
		if class, ok := strings.CutPrefix(name, countClass); ok {
			if i, err := strconv.Atoi(class); err == nil && i >= 0 && i < len(classes) {
				classes[i] += n
			}
		}
		if pair, ok := strings.CutPrefix(name, countMismatch); ok {
			pairs[pair] += n
		}
	}
	if earlier != nil {
		addEarlier(r, earlier, &classes, pairs)
	}
	r.Resolutions = resolutions(classes)
	r.MismatchedExtensions = mismatches(pairs)
	return r
}

// addEarlier adds what an earlier run has counted. That run has counted
// the sizes of all objects.
func addEarlier(
	r, earlier *results.ManifestReport, classes *[len(bounds) + 1]int64, pairs map[string]int64,
) {
	for t, n := range earlier.Types {
		r.Types[t] += n
	}
	for _, e := range earlier.Resolutions {
		class := slices.IndexFunc(bounds[:], func(b int64) bool { return below(b) == e.Below })
		if class < 0 {
			class = len(bounds)
		}
		classes[class] += e.Images
	}
	for _, e := range earlier.MismatchedExtensions {
		pairs[e.Extension+":"+e.Type] += e.Images
	}
	r.Requests += earlier.Requests
	r.BytesWhole = earlier.BytesWhole
	r.Duplicates = earlier.Duplicates
}

func below(bound int64) float64 { return float64(bound) / 1e6 }

func resolutions(classes [len(bounds) + 1]int64) (all []results.Resolution) {
	for class, n := range classes {
		r := results.Resolution{Images: n}
		if class < len(bounds) {
			r.Below = below(bounds[class])
		}
		if n > 0 {
			all = append(all, r)
		}
	}
	return all
}

// mismatches returns the pairs, the most frequent first.
func mismatches(pairs map[string]int64) (all []results.Mismatch) {
	for _, pair := range slices.Sorted(maps.Keys(pairs)) {
		extension, t, _ := strings.Cut(pair, ":")
		all = append(all, results.Mismatch{
			Extension: extension, Type: t, Images: pairs[pair],
		})
	}
	slices.SortStableFunc(all, func(a, b results.Mismatch) int {
		return cmp.Compare(b.Images, a.Images)
	})
	return all
}
