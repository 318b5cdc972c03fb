package export

import (
	"archive/zip"
	"hash/crc32"
	"io"
)

// archive writes a zip whose bytes follow from its entries alone (GEN-10).
// archive/zip adds zip64 records where they are needed. Entries must come
// sorted by name.
type archive struct{ zip *zip.Writer }

func newArchive(w io.Writer) archive { return archive{zip.NewWriter(w)} }

func entryHeader(name string, method uint16) *zip.FileHeader {
	h := &zip.FileHeader{Name: name, Method: method, Flags: 0x800} // UTF-8, even when ASCII
	h.SetMode(0o644)
	// 1980-01-01 00:00, the oldest time a zip can hold. FileHeader.Modified
	// would add a field, and raw entries ignore it.
	h.ModifiedDate = 1<<5 | 1 //nolint:staticcheck // see above
	return h
}

// text opens an entry that is compressed; it ends when the next one begins.
func (a archive) text(name string) (io.Writer, error) {
	return a.zip.CreateHeader(entryHeader(name, zip.Deflate))
}

// whole stores content as it is, its size before it, so that readers of
// streams can unpack it too.
func (a archive) whole(name string, content []byte) error {
	h := entryHeader(name, zip.Store)
	h.CRC32 = crc32.ChecksumIEEE(content)
	h.CompressedSize64 = uint64(len(content))
	h.UncompressedSize64 = uint64(len(content))
	h.CreatorVersion |= 20
	h.ReaderVersion = 20
	w, err := a.zip.CreateRaw(h)
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}

// stream stores content of unknown length as it is, its size after it.
func (a archive) stream(name string, content io.Reader) error {
	w, err := a.zip.CreateHeader(entryHeader(name, zip.Store))
	if err != nil {
		return err
	}
	_, err = io.Copy(w, content)
	return err
}

func (a archive) close() error { return a.zip.Close() }
