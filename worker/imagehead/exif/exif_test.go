package exif

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// directory returns a TIFF block, the lowest byte first, of entries of
// 12 bytes and what stands behind them, at offset 14 + 12 * entries.
func directory(behind string, entries ...string) string {
	b := binary.LittleEndian.AppendUint16([]byte("II*\x00\x08\x00\x00\x00"), uint16(len(entries)))
	return string(b) + strings.Join(entries, "") + "\x00\x00\x00\x00" + behind
}

// entryOf returns an entry with a value of up to 4 bytes.
func entryOf(tag, kind, count int, value string) string {
	b := binary.LittleEndian.AppendUint16(nil, uint16(tag))
	b = binary.LittleEndian.AppendUint16(b, uint16(kind))
	b = binary.LittleEndian.AppendUint32(b, uint32(count))
	return string(b) + (value + "\x00\x00\x00\x00")[:4]
}

// orientationOf returns an entry of the orientation.
func orientationOf(kind, count int, value string) string {
	return entryOf(TagOrientation, kind, count, value)
}

// The values are those of Pillow 12.3 (TiffImagePlugin,
// ImageFileDirectory_v2): numbers of each kind, in any place.
func TestOrientation(t *testing.T) {
	t.Parallel()
	const behind = "\x1a\x00\x00\x00" // the offset behind one entry
	double := string(binary.LittleEndian.AppendUint64(nil, math.Float64bits(6)))
	for name, c := range map[string]struct {
		block string
		value int
		found bool
	}{
		"a short":                      {directory("", orientationOf(3, 1, "\x06\x00")), 6, true},
		"a long":                       {directory("", orientationOf(4, 1, "\x06\x00\x00\x00")), 6, true},
		"an offset of a directory":     {directory("", orientationOf(13, 1, "\x06\x00\x00\x00")), 6, true},
		"a signed byte":                {directory("", orientationOf(6, 1, "\xfe")), -2, true},
		"a signed short":               {directory("", orientationOf(8, 1, "\xfe\xff")), -2, true},
		"a signed long":                {directory("", orientationOf(9, 1, "\xfe\xff\xff\xff")), -2, true},
		"a float":                      {directory("", orientationOf(11, 1, "\x00\x00\xc0\x40")), 6, true},
		"a float that is not whole":    {directory("", orientationOf(11, 1, "\x00\x00\xc8\x40")), 0, true},
		"a float that is no number":    {directory("", orientationOf(11, 1, "\x00\x00\xc0\x7f")), 0, true},
		"a double":                     {directory(double, orientationOf(12, 1, behind)), 6, true},
		"a quotient":                   {directory("\x0c\x00\x00\x00\x02\x00\x00\x00", orientationOf(5, 1, behind)), 6, true},
		"a quotient that is not whole": {directory("\x0d\x00\x00\x00\x02\x00\x00\x00", orientationOf(5, 1, behind)), 0, true},
		"a quotient by zero":           {directory("\x06\x00\x00\x00\x00\x00\x00\x00", orientationOf(5, 1, behind)), 0, true},
		"a signed quotient":            {directory("\xf4\xff\xff\xff\xfe\xff\xff\xff", orientationOf(10, 1, behind)), 6, true},
		"text turns nothing":           {directory("", orientationOf(2, 2, "6\x00")), 0, true},
		"the first of several values":  {directory("\x06\x00\x03\x00\x03\x00", orientationOf(3, 3, behind)), 6, true},
		"values behind the end":        {directory("\x06\x00", orientationOf(3, 3, behind)), 0, false},
		"a kind that is not known":     {directory("", orientationOf(14, 1, "\x06\x00")), 0, false},
		"no values":                    {directory("", orientationOf(3, 0, "\x06\x00")), 0, false},
		"the last entry counts":        {directory("", orientationOf(3, 1, "\x06\x00"), orientationOf(3, 1, "\x03\x00")), 3, true},
		"an entry before the end":      {directory("", orientationOf(3, 1, "\x06\x00"))[:22], 6, true},
		"42 in the other order":        {strings.Replace(directory("", orientationOf(3, 1, "\x06\x00")), "*\x00", "\x00*", 1), 6, true},
		"a prefix, twice":              {magic + magic + directory("", orientationOf(3, 1, "\x06\x00")), 6, true},
		"no byte order":                {strings.Replace(directory("", orientationOf(3, 1, "\x06\x00")), "II", "XX", 1), 0, false},
		"nothing":                      {"", 0, false},
	} {
		value, found, err := Orientation(BlockOf([]byte(c.block)))
		if err != nil || value != c.value || found != c.found {
			t.Errorf("%s: %d, %v, %v; want %d, %v", name, value, found, err, c.value, c.found)
		}
	}
}

// The largest counts and offsets cost no memory, and no more reads than
// there are entries.
func TestOrientation_LargestClaims(t *testing.T) { //nolint:paralleltest // it measures allocations
	block := []byte(strings.Repeat(orientationOf(12, math.MaxUint32, "\xff\xff\xff\xff"), 1000))
	copy(block, directory("", orientationOf(12, math.MaxUint32, "\xff\xff\xff\xff")))
	binary.LittleEndian.PutUint16(block[8:], math.MaxUint16)
	reads := 0
	fetch := func(_, n int64) ([]byte, error) {
		if reads++; n > 64<<10 {
			t.Errorf("it asks for %d bytes at once", n)
		}
		return block[:min(n, int64(len(block)))], nil
	}
	n := testing.AllocsPerRun(1, func() {
		_, _, err := Orientation(BlockAt(head.NewSource(fetch, 1<<40, 4096), 0, 1<<40))
		if err != nil {
			t.Log(err)
		}
	})
	if n > 10_000 || reads > 2*513 {
		t.Errorf("%v allocations, %d reads", n, reads)
	}
}

func TestXMPOrientation(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`tiff:Orientation="6"`: 6, `<tiff:Orientation>8</tiff:Orientation>`: 8, `tiff:Orientation='6'`: 0, `tiff:Orientation=">6`: 0,
		`tiff:Orientation="`: 0, `tiff:Orientation x tiff:Orientation="3"`: 3, `tiff:Orientation="12"`: 1, "": 0,
	} {
		if got := XMPOrientation([]byte(text)); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

func TestRawProfile(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"\nexif\n4\n49 49\n2a00\n": "II*\x00", "\nexif\n4\n49492a0": "", "\nexif\n4": "", "": "", "\nexif\n0\n": "",
	} {
		if got := string(RawProfile([]byte(text))); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// A block gives the same wherever it is cut into parts. No block gives
// an error.
func FuzzOrientation(f *testing.F) {
	for _, kind := range []int{2, 3, 4, 5, 11, 12} {
		f.Add([]byte(directory("\x06\x00\x00\x00\x01\x00\x00\x00", orientationOf(kind, 1, "\x1a\x00\x00\x00"), entryOf(271, 3, 1, "x"))), uint16(20))
	}
	f.Add([]byte(magic+"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"), uint16(30))
	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		value, found, err := Orientation(BlockOf(data))
		if err != nil {
			t.Fatal(err)
		}
		at := min(int64(cut), int64(len(data)))
		fetch := func(off, n int64) ([]byte, error) { return data[off : off+n], nil }
		parts := BlockAt(head.NewSource(fetch, int64(len(data)), 1), 0, at).And(at, int64(len(data))-at)
		again, foundAgain, err := Orientation(parts)
		var broken *head.Error
		if errors.As(err, &broken) {
			return // it takes too many reads
		}
		if err != nil || again != value || foundAgain != found {
			t.Fatalf("whole: %d, %v; cut at %d: %d, %v, %v", value, found, at, again, foundAgain, err)
		}
	})
}

// Any text gives a digit, and a profile that has half as many bytes at
// most.
func FuzzText(f *testing.F) {
	f.Add([]byte(`tiff:Orientation="6"`))
	f.Add(fmt.Appendf(nil, "\nexif\n%8d\n%x\n", 4, "II*\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if o := XMPOrientation(text); o < 0 || o > 9 {
			t.Fatalf("the orientation %d", o)
		}
		if n := len(RawProfile(text)); n > len(text)/2 {
			t.Fatalf("%d bytes of %d", n, len(text))
		}
	})
}
