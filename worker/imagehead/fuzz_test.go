package imagehead

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// Any bytes give a valid head or an error with a code, without a
// panic. The requests stay within the object, and their sizes do not
// change the result.
func FuzzRead(f *testing.F) {
	f.Add(jpegOf(4000, 3000, exifOf(binary.BigEndian, 6)), uint16(16))
	f.Add(jpegOf(40, 30, xmpOf(`tiff:Orientation="6"`), segmentOf(0xe2, make([]byte, 200))), uint16(0))
	f.Add(pngOf(40, 30, chunkOf("eXIf", tiffOf(binary.LittleEndian, 8))), uint16(100))
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00abcdef!\xff\x0bNETSCAPE2.0\x00,\x00\x00\x00\x00\x01\x00\x01\x00"), uint16(1))
	f.Add([]byte("BM\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x28\x00\x00\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01\x00\x18"), uint16(1))
	f.Add(webpOf("II*\x00\x08\x00\x00\x00"), uint16(1))
	f.Add(tiffOf(binary.BigEndian, 6), uint16(1))
	f.Add([]byte("II+\x00\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"), uint16(1))
	for _, c := range headCases(f) {
		f.Add(c.Data, uint16(64))
	}
	f.Fuzz(func(t *testing.T, data []byte, first uint16) {
		whole, wholeErr := parse(data)
		cut, cutErr := Read(func(off, n int64) ([]byte, error) {
			if off < 0 || n < 1 || off+n > int64(len(data)) {
				t.Fatalf("asked for %d+%d of %d", off, n, len(data))
			}
			return append([]byte(nil), data[off:off+n]...), nil
		}, int64(len(data)), int64(first))
		if whole != cut || (wholeErr == nil) != (cutErr == nil) {
			t.Fatalf("whole %+v, %v; cut %+v, %v", whole, wholeErr, cut, cutErr)
		}
		var e *head.Error
		switch {
		case wholeErr != nil && !errors.As(wholeErr, &e):
			t.Fatalf("an error without a code: %v", wholeErr)
		case wholeErr == nil && (whole.Width < 1 || whole.Height < 1 || whole.Orientation < 1 || whole.Orientation > 8):
			t.Fatalf("impossible: %+v", whole)
		}
	})
}

func FuzzCheckKey(f *testing.F) {
	f.Add("a/b.jpg")
	f.Add("..\\//\xff")
	f.Fuzz(func(t *testing.T, key string) {
		ext := Extension(key)
		if key[len(key)-len(ext):] != ext {
			t.Fatalf("%q does not end in %q", key, ext)
		}
		_ = CheckKey(key)
		_ = ByName(key)
	})
}
