package small

import "github.com/stevedore-jobs/stevedore/worker/imagehead/head"

// QOI is the Quite OK Image Format (its specification, version 1.0).
var QOI = head.Format{
	Type:       "qoi",
	Extensions: []string{".qoi"},
	FirstRead:  4 << 10,
	Matches:    head.Signature(0, "qoif"),
	Read:       readQOI,
}

func readQOI(s *head.Source) (head.Head, error) {
	b, err := head.Front(s, "qoi", 14)
	if err != nil {
		return head.Head{}, err
	}
	width, height := pair(be.Uint32(b[4:]), be.Uint32(b[8:]))
	l := head.Layout{Bits: 8, Components: int(b[12]), Transparent: b[12] == 4}
	return head.Upright("qoi", width, height, l)
}
