package small

import (
	"fmt"
	"slices"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// DDS is the format of DirectDraw surfaces (Microsoft, DDS_HEADER).
var DDS = head.Format{
	Type:       "dds",
	Extensions: []string{".dds"},
	FirstRead:  4 << 10,
	Matches:    head.Signature(0, "DDS "),
	Read:       readDDS,
}

// Flags of a pixel format, in the order in which Pillow looks at them
// (DdsImagePlugin.py).
const (
	ddsAlpha     = 0x1
	ddsFourCC    = 0x4
	ddsPalette   = 0x20
	ddsRGB       = 0x40
	ddsLuminance = 0x20000
)

// The compressions that Pillow reads: four letters, or numbers of DXGI.
var (
	ddsCodes = []string{"DXT1", "DXT3", "DXT5", "BC4U", "ATI1", "BC5S", "BC5U", "ATI2"}
	ddsDXGI  = []uint32{
		27, 28, 29, 70, 71, 73, 74, 76, 77, 79, 80, 82, 83, 84, 95, 96, 97, 98, 99,
	}
)

func readDDS(s *head.Source) (head.Head, error) {
	b, err := head.Front(s, "dds", 4+124)
	if err != nil {
		return head.Head{}, err
	}
	if n := le.Uint32(b[4:]); n != 124 {
		return head.Head{}, head.Corrupt("dds", "the dds has a header of %d bytes, not 124", n)
	}
	width, height := pair(le.Uint32(b[16:]), le.Uint32(b[12:]))
	flags, code, bits := le.Uint32(b[80:]), string(b[84:88]), le.Uint32(b[88:])
	h, err := head.Upright("dds", width, height, head.Layout{Bits: 8})
	if err != nil {
		return h, err
	}
	switch {
	case flags&ddsRGB != 0:
	case flags&ddsLuminance != 0:
		if bits != 8 && (bits != 16 || flags&ddsAlpha == 0) {
			h.Refusal = fmt.Sprintf("the DDS has grey pixels of %d bits", bits)
		}
	case flags&ddsPalette != 0:
		h.Layout.Palette = true
	case flags&ddsFourCC == 0:
		h.Refusal = fmt.Sprintf("the DDS has pixels with the flags %#x", flags)
	case code == "DX10":
		if b, err = head.Front(s, "dds", 132); err != nil {
			return head.Head{}, err
		}
		if n := le.Uint32(b[128:]); !slices.Contains(ddsDXGI, n) {
			h.Refusal = fmt.Sprintf("the DDS has pixels of the DXGI format %d", n)
		}
	case !slices.Contains(ddsCodes, code):
		h.Refusal = fmt.Sprintf("the DDS has pixels of the format %q", code)
	}
	return h, nil
}
