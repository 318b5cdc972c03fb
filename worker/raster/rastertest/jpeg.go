// Package rastertest makes images for tests: any size and any mode in
// few bytes, also those that the standard library cannot write. Their
// pixels are all the same.
package rastertest

import "encoding/binary"

// JPEG describes a JPEG.
type JPEG struct {
	Width, Height int
	Progressive   bool
	IDs           string // a byte a component
	Sampling      []byte // across<<4 | down, of each component
	Adobe         int    // the transform of an Adobe segment; -1 without one
	Late          bool   // the Adobe segment comes after the pixels
	Scans         int    // how often the pixels come; 0 means once
}

// YCbCr returns a JPEG of three components with a sampling of luma.
func YCbCr(width, height int, luma byte) JPEG {
	return JPEG{
		Width: width, Height: height, IDs: "\x01\x02\x03",
		Sampling: []byte{luma, 0x11, 0x11}, Adobe: -1,
	}
}

// CMYK returns a JPEG of four components with Adobe's transform, 0 or 2.
func CMYK(width, height, transform int) JPEG {
	return JPEG{
		Width: width, Height: height, IDs: "CMYK",
		Sampling: []byte{0x11, 0x11, 0x11, 0x11}, Adobe: transform,
	}
}

// Bytes returns the file.
func (j JPEG) Bytes() []byte {
	out := []byte{0xff, 0xd8}
	adobe := segment(0xee, []byte("Adobe\x00\x64\x00\x00\x00\x00"), []byte{byte(j.Adobe)})
	if j.Adobe >= 0 && !j.Late {
		out = append(out, adobe...)
	}
	quantisation := make([]byte, 65)
	for i := range quantisation[1:] {
		quantisation[1+i] = 1
	}
	out = append(out, segment(0xdb, quantisation)...)
	out = append(out, j.frame()...)
	// Each table has one code: a 0 bit means 0.
	table := make([]byte, 1+16+1)
	table[1] = 1
	out = append(out, segment(0xc4, table)...)
	table[0] = 0x10
	out = append(out, segment(0xc4, table)...)
	for range max(1, j.Scans) {
		out = append(out, j.scan()...)
	}
	if j.Adobe >= 0 && j.Late {
		out = append(out, adobe...)
	}
	return append(out, 0xff, 0xd9)
}

func (j JPEG) frame() []byte {
	marker := byte(0xc0)
	if j.Progressive {
		marker = 0xc2
	}
	head := []byte{8}
	head = binary.BigEndian.AppendUint16(head, uint16(j.Height))
	head = binary.BigEndian.AppendUint16(head, uint16(j.Width))
	head = append(head, byte(len(j.IDs)))
	for i := range j.IDs {
		head = append(head, j.IDs[i], j.Sampling[i], 0)
	}
	return segment(marker, head)
}

// scan returns one scan of all components. A baseline block is a 0 bit
// for DC and one for the end of the block; of a progressive JPEG there
// is only DC.
func (j JPEG) scan() []byte {
	head := []byte{byte(len(j.IDs))}
	blocks := 0
	for i := range j.IDs {
		head = append(head, j.IDs[i], 0)
		blocks += int(j.Sampling[i]>>4) * int(j.Sampling[i]&15)
	}
	last, bits := byte(63), 2
	if j.Progressive {
		last, bits = 0, 1
	}
	across, down := 8*int(j.Sampling[0]>>4), 8*int(j.Sampling[0]&15)
	if len(j.IDs) == 1 {
		across, down, blocks = 8, 8, 1
	}
	blocks *= (j.Width + across - 1) / across * ((j.Height + down - 1) / down)
	out := segment(0xda, append(head, 0, last, 0))
	return append(out, make([]byte, (blocks*bits+7)/8)...)
}

func segment(marker byte, parts ...[]byte) []byte {
	var content []byte
	for _, p := range parts {
		content = append(content, p...)
	}
	out := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(2+len(content)))
	return append(out, content...)
}
