package small

import (
	"fmt"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// PSD is the format of Photoshop files (Adobe Photoshop File Formats
// Specification, File Header Section).
var PSD = head.Format{
	Type:       "psd",
	Extensions: []string{".psd"},
	FirstRead:  4 << 10,
	Matches:    head.Signature(0, "8BPS"),
	Read:       readPSD,
}

// psdModes maps colour mode and bits to the channels that Pillow
// needs (PsdImagePlugin.py, MODES). It opens no others.
var psdModes = map[[2]int]int{
	{0, 1}: 1, {0, 8}: 1, {1, 8}: 1, {2, 8}: 1, {3, 8}: 3, {4, 8}: 4, {7, 8}: 1, {8, 8}: 1,
	{9, 8}: 3,
}

// minPSD is the size of a file whose three sections before the pixels
// are empty.
const minPSD = 26 + 3*4 + 2

func readPSD(s *head.Source) (head.Head, error) {
	b, err := head.Front(s, "psd", 26)
	if err != nil {
		return head.Head{}, err
	}
	version, channels := be.Uint16(b[4:]), int(be.Uint16(b[12:]))
	bits, mode := int(be.Uint16(b[22:])), int(be.Uint16(b[24:]))
	width, height := pair(be.Uint32(b[18:]), be.Uint32(b[14:]))
	l := head.Layout{Bits: bits, Components: channels, Palette: mode == 2}
	h, err := head.Upright("psd", width, height, l)
	if err != nil {
		return h, err
	}
	if s.Size() < minPSD {
		return head.Head{}, head.Cut("psd", head.ErrShort)
	}
	needed, known := psdModes[[2]int{mode, bits}]
	switch {
	case version != 1:
		h.Refusal = fmt.Sprintf("the Photoshop file has version %d, not 1", version)
	case !known:
		h.Refusal = fmt.Sprintf("the Photoshop file has colour mode %d with %d bits", mode, bits)
	case channels < needed:
		h.Refusal = fmt.Sprintf("the Photoshop file has %d channels of %d", channels, needed)
	}
	return h, nil
}
