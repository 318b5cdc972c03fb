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
	Checksum      string    // empty without one
}

// What Stevedore writes is within these bounds. Anything else was written
// by somebody else, and is not reused.
const (
	maxSide = 1 << 31 // pixels or points
	maxText = 32      // bytes of a type, and of a checksum
)

func knownOf(e entry.Entry, o providers.Object) Known {
	k := Known{Changed, e.Width, e.Height, e.Type, e.Unopenable, e.Checksum}
	isSide := func(n int) bool { return n >= 0 && n < maxSide }
	switch {
	case !isSide(e.Width) || !isSide(e.Height) || len(e.Type) > maxText ||
		len(e.Checksum) > maxText:
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
		for _, text := range []string{string(k.Type), k.Checksum} {
			rows = append(binary.AppendUvarint(rows, uint64(len(text))), text...)
		}
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
	r := rowReader{rows: rows}
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

// rowReader reads the rows that Pack writes. If it is broken, what it
// has read has no meaning.
type rowReader struct {
	rows   []byte
	broken bool
}

func (r *rowReader) known() (k Known, ok bool) {
	if len(r.rows) == 0 {
		return k, false
	}
	k.State, k.Unopenable = State(r.rows[0]>>1), r.rows[0]&1 != 0
	r.rows = r.rows[1:]
	k.Width, k.Height = r.number(), r.number()
	k.Type, k.Checksum = head.Type(r.text()), r.text()
	return k, !r.broken
}

// text returns the next text.
func (r *rowReader) text() string {
	n := r.number()
	if r.broken = r.broken || n > len(r.rows); r.broken {
		return ""
	}
	text := string(r.rows[:n])
	r.rows = r.rows[n:]
	return text
}

// number returns the next number. If there is no whole one, the reader
// is broken.
func (r *rowReader) number() int {
	v, n := binary.Uvarint(r.rows)
	if r.broken = r.broken || n < 1 || v > math.MaxInt; r.broken {
		return 0
	}
	r.rows = r.rows[n:]
	return int(v)
}
