package job

import "github.com/stevedore-jobs/stevedore/worker/job/listing"

// Input returns the fields of a shard that its JSON text leaves out, as
// one text; nil if none is set. The engine keeps it apart from the JSON
// text, and only until the shard is done.
//
// A field that is added comes last: then workers of the version before
// can read the others.
func (s Shard) Input() []byte { return listing.Join(s.Listing, s.Known) }

// WithInput returns the shard with the fields that Input returned. It
// keeps the slice.
func (s Shard) WithInput(input []byte) (Shard, error) {
	err := listing.Split(input, &s.Listing, &s.Known)
	return s, err
}
