package small

import "github.com/stevedore-jobs/stevedore/worker/imagehead/head"

// WMF is the format of placeable Windows metafiles ([MS-WMF] 2.3.2.3).
// Their size is that at 72 dots an inch, as in Pillow.
var WMF = head.Format{
	Type:       "wmf",
	Extensions: []string{".wmf"},
	FirstRead:  4 << 10,
	Matches:    head.Signature(0, "\xd7\xcd\xc6\x9a\x00\x00"),
	Read:       readWMF,
}

// EMF is the format of enhanced metafiles ([MS-EMF] 2.2.9).
var EMF = head.Format{
	Type:       "emf",
	Extensions: []string{".emf"},
	FirstRead:  4 << 10,
	Matches:    head.Signature(0, "\x01\x00\x00\x00"),
	Read:       readEMF,
}

func readWMF(s *head.Source) (head.Head, error) {
	b, err := head.Front(s, "wmf", 44)
	if err != nil {
		return head.Head{}, err
	}
	inch := int64(le.Uint16(b[14:]))
	if inch == 0 || string(b[22:26]) != "\x01\x00\x09\x00" {
		return head.Head{}, head.Corrupt("wmf", "the wmf has no valid header")
	}
	side := func(from, to int) int64 {
		return (int64(int16(le.Uint16(b[to:]))) - int64(int16(le.Uint16(b[from:])))) * 72 / inch
	}
	return head.Upright("wmf", side(6, 10), side(8, 12), head.Layout{})
}

func readEMF(s *head.Source) (head.Head, error) {
	b, err := head.Front(s, "emf", 44)
	if err != nil {
		return head.Head{}, err
	}
	if string(b[40:44]) != " EMF" {
		return head.Head{}, head.Corrupt("emf", "the emf has no valid header")
	}
	side := func(from, to int) int64 {
		return int64(int32(le.Uint32(b[to:]))) - int64(int32(le.Uint32(b[from:])))
	}
	return head.Upright("emf", side(8, 16), side(12, 20), head.Layout{})
}
