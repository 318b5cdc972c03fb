package icons

import "github.com/stevedore-jobs/stevedore/worker/imagehead/head"

// ICNS is the format of macOS icons.
var ICNS = head.Format{
	Type:       "icns",
	Extensions: []string{".icns"},
	FirstRead:  4 << 10,
	Matches:    head.Signature(0, "icns"),
	Read:       readICNS,
}

// icnsSides maps the types of the images in an icon to their points
// and their scale (IcnsImagePlugin.py, SIZES). Masks count, as there.
var icnsSides = map[string][2]int64{
	"ic10": {512, 2}, "ic09": {512, 1}, "ic14": {256, 2}, "ic08": {256, 1}, "ic13": {128, 2},
	"ic07": {128, 1}, "it32": {128, 1}, "t8mk": {128, 1}, "icp6": {64, 1}, "ic12": {32, 2},
	"ih32": {48, 1}, "h8mk": {48, 1}, "icp5": {32, 1}, "il32": {32, 1}, "l8mk": {32, 1},
	"ic11": {16, 2}, "icp4": {16, 1}, "is32": {16, 1}, "s8mk": {16, 1},
}

// maxBlocks is how many images an icon may have. There are 20 types.
const maxBlocks = 100

// readICNS finds the largest image by the blocks' headers. It reads
// the table of contents in place of the headers if it is complete:
// that is one read, and not one for each image.
func readICNS(s *head.Source) (head.Head, error) {
	b, err := head.Front(s, "icns", 8)
	if err != nil {
		return head.Head{}, err
	}
	end := int64(be.Uint32(b[4:]))
	best, err := contents(s, end)
	if err == nil && best[0] == 0 {
		best, err = blocks(s, 8, end)
	}
	if err != nil {
		return head.Head{}, err
	}
	if best[0] == 0 {
		return head.Head{}, head.Corrupt("icns", "the icns has no image of a known type")
	}
	side := best[0] * best[1]
	return head.Upright("icns", side, side, head.Layout{Bits: 8, Components: 4})
}

// contents returns the largest image of the table of contents, or
// nothing if there is no table that fits the size of the file.
func contents(s *head.Source, end int64) (best [2]int64, err error) {
	b, err := s.At(8, 8)
	if err != nil {
		return best, head.Cut("icns", err)
	}
	size := int64(be.Uint32(b[4:]))
	if string(b[:4]) != "TOC " || size < 8 || size > 8*(1+maxBlocks) {
		return best, nil
	}
	if b, err = s.At(16, size-8); err != nil {
		return best, head.Cut("icns", err)
	}
	total := 8 + size
	for ; len(b) >= 8; b = b[8:] {
		best = larger(best, icnsSides[string(b[:4])])
		total += int64(be.Uint32(b[4:]))
	}
	if total != end {
		return [2]int64{}, nil
	}
	return best, nil
}

func blocks(s *head.Source, pos, end int64) (best [2]int64, err error) {
	for range maxBlocks {
		if pos >= end {
			return best, nil
		}
		b, err := s.At(pos, 8)
		if err != nil {
			return best, head.Cut("icns", err)
		}
		size := int64(be.Uint32(b[4:]))
		if size < 8 {
			return best, head.Corrupt("icns", "the icns has a block of %d bytes", size)
		}
		best = larger(best, icnsSides[string(b[:4])])
		pos += size
	}
	return best, head.Corrupt("icns", "the icns has more than %d blocks", maxBlocks)
}

func larger(a, b [2]int64) [2]int64 {
	if b[0] > a[0] || b[0] == a[0] && b[1] > a[1] {
		return b
	}
	return a
}
