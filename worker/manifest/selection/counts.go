package selection

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// What the names of tallies begin with. The reason follows.
const (
	skipped  = "skipped:"  // objects without a line on the error list
	unusable = "unusable:" // objects whose line is for their name alone
)

// Skip returns the tally of an object that is no entry for a reason
// that only a job knows. The object is not on the error list.
func Skip(reason string) string { return skipped + reason }

// Unusable returns the tally of an object that is on the error
// list, but for its name or type alone. It does not count as a
// failure.
func Unusable(reason string) string { return unusable + reason }

// Skipped returns how many objects are neither entries nor on the
// error list.
func Skipped(p job.Parts) int64 { return sum(p.Tally, skipped) }

func sum(tally map[string]int64, prefix string) (n int64) {
	for name, count := range tally {
		if strings.HasPrefix(name, prefix) {
			n += count
		}
	}
	return n
}

// warnings are the codes of entries with a warning.
var warnings = []string{CodeControl, CodeMismatch}

// byName are the codes of those whose tallies have a reason.
var byName = []string{head.CodeUnusableKey, CodeOutside, CodeCannotOpen}

// SkippedBy counts the objects that are no entries by their
// reasons, or else by their codes on the error list. It returns nil
// if there are none.
func SkippedBy(p job.Parts) map[string]int64 {
	counts := map[string]int64{}
	for name, n := range p.Tally {
		for _, prefix := range []string{skipped, unusable} {
			if reason, ok := strings.CutPrefix(name, prefix); ok {
				counts[reason] += n
			}
		}
	}
	for code, n := range p.Codes {
		if !slices.Contains(warnings, code) && !slices.Contains(byName, code) {
			counts[code] += n
		}
	}
	if len(counts) == 0 {
		return nil
	}
	return counts
}

// Amend returns the counts of a run that worked only on the objects
// that failed in an earlier one: for those that it did not work on,
// the earlier counts are still right.
func Amend(earlier map[string]int64, p job.Parts) map[string]int64 {
	counts := map[string]int64{}
	for _, reason := range reasons {
		if n := earlier[reason]; n > 0 {
			counts[reason] = n
		}
	}
	for reason, n := range SkippedBy(p) {
		counts[reason] += n
	}
	if len(counts) == 0 {
		return nil
	}
	return counts
}

// CheckFailed fails with the code TooManyFailed if more images
// failed than the job allows. The images are the entries and those
// that failed. Those on the error list for their names or types
// alone have not failed.
func CheckFailed(j tasks.BuildManifest, entries int64, p job.Parts) error {
	failed := p.Failed - p.Warnings - sum(p.Tally, unusable)
	share := j.FailedShare()
	if failed <= 0 || float64(failed) <= share*float64(entries+failed) {
		return nil
	}
	return &providers.Error{
		Op: "list", Bucket: j.Source.Bucket, Kind: providers.Invalid, Code: "TooManyFailed",
		Detail: fmt.Sprintf(
			"%d of %d images under %s failed, and max_failed allows a share of %v: %s",
			failed, entries+failed, j.Source, share, codes(p)),
		Fix: "See the job's error list for why each image failed. Repair or exclude these " +
			"images, or raise max_failed. No manifest was written.",
	}
}

// maxCodes is how many codes the error of a job names.
const maxCodes = 8

// codes returns the codes of failed images with their counts, the
// most frequent ones first.
func codes(p job.Parts) string {
	counts := maps.Clone(p.Codes)
	for _, code := range slices.Concat(warnings, byName) {
		delete(counts, code)
	}
	list := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return int(counts[b] - counts[a])
		}
		return strings.Compare(a, b)
	})
	var text []string
	for _, code := range list[:min(len(list), maxCodes)] {
		text = append(text, fmt.Sprintf("%s %d", code, counts[code]))
	}
	return strings.Join(text, ", ")
}
