// Package pack puts the files of a data set together for a bucket.
//
// It knows archives, and no format of annotations.
package pack

import (
	"archive/zip"
	"hash/crc32"
	"io"
)

// Zip writes a zip whose bytes follow from its files alone (GEN-10).
// The caller must add the files in the order of their names. Large
// archives get zip64 records.
type Zip struct{ zip *zip.Writer }

// NewZip returns a Zip that writes to w.
func NewZip(w io.Writer) *Zip { return &Zip{zip.NewWriter(w)} }

// Create adds a compressed file. The caller must write its content
// before it adds another file.
func (z *Zip) Create(name string) (io.Writer, error) {
	return z.zip.CreateHeader(header(name, zip.Deflate))
}

// Store adds a file, in pieces, without compression. Its size comes before its
// content, so that programs can unpack it from a stream too.
func (z *Zip) Store(name string, pieces ...[]byte) error {
	h := header(name, zip.Store)
	for _, p := range pieces {
		h.CRC32 = crc32.Update(h.CRC32, crc32.IEEETable, p)
		h.CompressedSize64 += uint64(len(p))
	}
	h.UncompressedSize64 = h.CompressedSize64
	h.CreatorVersion |= 20
	h.ReaderVersion = 20
	w, err := z.zip.CreateRaw(h)
	if err != nil {
		return err
	}
	for _, p := range pieces {
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// StoreFrom adds a file of unknown size without compression. Its size
// comes after its content.
func (z *Zip) StoreFrom(name string, content io.Reader) error {
	w, err := z.zip.CreateHeader(header(name, zip.Store))
	if err != nil {
		return err
	}
	_, err = io.Copy(w, content)
	return err
}

// Close ends the zip. It does not close the underlying writer.
func (z *Zip) Close() error { return z.zip.Close() }

func header(name string, method uint16) *zip.FileHeader {
	h := &zip.FileHeader{Name: name, Method: method, Flags: 0x800} // UTF-8, even if ASCII
	h.SetMode(0o644)
	// 1980-01-01 00:00 is the oldest time that a zip can hold.
	// Modified would add a field, and CreateRaw ignores it.
	h.ModifiedDate = 1<<5 | 1 //nolint:staticcheck // see above
	return h
}
