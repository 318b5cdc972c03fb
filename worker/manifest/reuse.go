package manifest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks/results"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/manifest/checksum"
	"github.com/stevedore-jobs/stevedore/worker/manifest/previous"
)

// The tallies of the items that are entries. The others have those of
// package selection, or an Error.
const (
	tallyEntries = "entries" // nothing is known of an earlier manifest
	tallyAdded   = "entries:added"
	tallyChanged = "entries:changed"
	tallyKept    = "entries:kept"
	// tallyContext is that of context images, which Finish joins with
	// the entries that they belong to.
	tallyContext = "context"
	// tallyUnread, a state and how many bytes to read first are the
	// tally of an image that a dry run does not read.
	tallyUnread = "unread"
)

// isReusable reports whether the earlier entry of an object is right.
func (r headReader) isReusable(o providers.Object, k previous.Known) bool {
	switch {
	case k.State != previous.Unchanged, k.Unopenable && !r.TakesUnopenable():
		return false
	case r.sums && k.Checksum == "": // perhaps it was not asked for
		return !checksum.Has(r.contentOf(o, k).kind)
	}
	return true
}

// contentOf returns what an earlier entry says.
func (r headReader) contentOf(o providers.Object, k previous.Known) content {
	c := content{k.Width, k.Height, k.Type, k.Unopenable, k.Checksum}
	if c.kind == "" && !r.isCloud(o) {
		c.kind = imagehead.TypeByName(o.Key)
	}
	return c
}

// tallyOf returns the tally of an entry that was read anew.
func tallyOf(k previous.Known, c content) string {
	same := k.Width == c.width && k.Height == c.height
	switch {
	case k.State == previous.Unknown:
		return tallyEntries
	case k.State == previous.Added:
		return tallyAdded
	case k.State == previous.Unmarked && same:
		return tallyKept
	}
	return tallyChanged
}

// unread returns the tally of an image that a dry run does not read.
func unread(s previous.State, o providers.Object) string {
	name := "changed"
	if s == previous.Added || s == previous.Unknown {
		name = "added"
	}
	return fmt.Sprintf("%s:%s:%d", tallyUnread, name, imagehead.FirstRead(o.Key))
}

// changes compares the entries with those of the earlier manifest. It
// returns nil if it is not known for all.
func changes(parts job.Parts, facts *previous.Facts) *results.ManifestChanges {
	if facts == nil || facts.Inexact || parts.Tally[tallyEntries] > 0 {
		return nil
	}
	c := results.ManifestChanges{
		Added: parts.Tally[tallyAdded], Changed: parts.Tally[tallyChanged],
		Kept: parts.Tally[tallyKept], RemovedKeys: facts.Removed,
	}
	for tally, n := range parts.Tally {
		switch {
		case strings.HasPrefix(tally, tallyUnread+":added:"):
			c.Added += n
		case strings.HasPrefix(tally, tallyUnread+":changed:"):
			c.Changed += n
		}
	}
	c.Removed = max(0, facts.Entries-c.Kept-c.Changed)
	return &c
}

// estimate says what a run would read of the images that a dry run has
// left unread.
func estimate(parts job.Parts) *results.ManifestEstimate {
	var e results.ManifestEstimate
	for tally, n := range parts.Tally {
		if rest, ok := strings.CutPrefix(tally, tallyUnread+":"); ok {
			_, size, _ := strings.Cut(rest, ":")
			bytes, _ := strconv.ParseInt(size, 10, 64) // unread has written it
			e.Requests += n
			e.Bytes += n * bytes
		}
	}
	return &e
}
