package previous

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/job/listing"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
)

// State says how an object compares with its entry.
type State byte

// The states.
const (
	Unknown   State = iota // there is no earlier manifest, or nobody looked
	Added                  // there is no entry
	Changed                // the object has another ETag or size than its entry says
	Unmarked               // the entry or the object has no ETag
	Unchanged              // the entry is still right
)

// Known is what an earlier manifest says about an object.
type Known struct {
	State         State
	Width, Height int
	Type          head.Type // empty if the name tells it
	Unopenable    bool      // CVAT cannot open the image
}

// What Stevedore writes is within these bounds. Anything else was written
// by somebody else, and is not reused.
const (
	maxSide = 1 << 31 // pixels or points
	maxType = 32      // bytes
)

func knownOf(e entry.Entry, o providers.Object) Known {
	k := Known{Changed, e.Width, e.Height, e.Type, e.Unopenable}
	isSide := func(n int) bool { return n >= 0 && n < maxSide }
	switch {
	case !isSide(e.Width) || !isSide(e.Height) || len(e.Type) > maxType:
		k = Known{State: Changed}
	case e.ETag == "" || o.ETag == "":
		k.State = Unmarked
	case e.ETag == o.ETag && e.Size == o.Size:
		k.State = Unchanged
	}
	return k
}

// Pack makes Shard.Known of what is known of a shard's objects, in
// their order. The last shard of a job has facts, the others nil.
func Pack(objects []Known, facts *Facts) []byte {
	var rows []byte
	for _, k := range objects {
		first := byte(k.State) << 1
		if k.Unopenable {
			first |= 1
		}
		rows = binary.AppendUvarint(append(rows, first), uint64(k.Width))
		rows = binary.AppendUvarint(rows, uint64(k.Height))
		rows = binary.AppendUvarint(rows, uint64(len(k.Type)))
		rows = append(rows, k.Type...)
	}
	if facts != nil {
		text, _ := json.Marshal(facts) // it cannot fail for texts and numbers
		rows = append(rows, text...)
	}
	return listing.Compress(rows)
}

var errBroken = errors.New("what the shard knows of an earlier manifest is broken")

// Unpack returns what is known of a shard's objects, by key, and the
// facts if the shard has them. The map is nil if nothing is known.
func Unpack(s job.Shard) (map[string]Known, *Facts, error) {
	if len(s.Known) == 0 || len(s.Listing) == 0 {
		return nil, nil, nil
	}
	objects, err := listing.Unpack(s.Listing)
	if err != nil {
		return nil, nil, err
	}
	rows, err := listing.Decompress(s.Known)
	if err != nil {
		return nil, nil, err
	}
	known := make(map[string]Known, len(objects))
	r := rowReader{rows}
	for _, o := range objects {
		k, ok := r.known()
		if !ok {
			return nil, nil, errBroken
		}
		known[o.Key] = k
	}
	if len(r.rows) == 0 {
		return known, nil, nil
	}
	facts := &Facts{}
	if err := json.Unmarshal(r.rows, facts); err != nil {
		return nil, nil, errBroken
	}
	return known, facts, nil
}

// rowReader reads the rows that Pack writes.
type rowReader struct{ rows []byte }

func (r *rowReader) known() (k Known, ok bool) {
	if len(r.rows) == 0 {
		return k, false
	}
	k.State, k.Unopenable = State(r.rows[0]>>1), r.rows[0]&1 != 0
	r.rows = r.rows[1:]
	width, height, length := r.number(), r.number(), r.number()
	if width < 0 || height < 0 || length < 0 || length > len(r.rows) {
		return k, false
	}
	k.Width, k.Height, k.Type = width, height, head.Type(r.rows[:length])
	r.rows = r.rows[length:]
	return k, true
}

// number returns the next number, or -1 if there is no whole one.
func (r *rowReader) number() int {
	v, n := binary.Uvarint(r.rows)
	if n < 1 || v > math.MaxInt {
		return -1
	}
	r.rows = r.rows[n:]
	return int(v)
}
