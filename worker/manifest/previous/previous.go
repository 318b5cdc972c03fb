// Package previous reads the manifest that an earlier run has left, so
// that a run reads only images that are new or have changed.
//
// Plan reads the manifest once, next to the listing, and puts what it
// says of a shard's objects into Shard.Known. Work takes it from there.
// What Finish needs goes with the last object: see Facts.
//
// It knows lines of CVAT's manifest and listings. It reads no image.
package previous

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// maxLine is how long a line may be, in bytes. A longer one, with
// thousands of context images, is not reused.
const maxLine = 256 << 10

// Manifest is a manifest that lies in a bucket. It is read once from
// its beginning to its end. It is for one goroutine at a time.
type Manifest struct {
	bucket providers.Bucket
	object providers.Object

	body    *providers.Reader
	hash    hash.Hash
	lines   *bufio.Reader
	read    int64  // bytes
	tries   int    // that are left to go on after a failure
	header  string // the lines of entry.Header that are still to come
	foreign bool   // it has another header, so it is of another kind
	count   int64  // entries so far
}

// maxTries is how often reading goes on after the connection has
// failed: a server may end one that waits for the listing.
const maxTries = 5

// Open opens a manifest. If the bucket has no such object, the manifest
// has no entries and no ETag. Open returns nil if the credentials may
// not read it.
func Open(ctx context.Context, b providers.Bucket, key string) (*Manifest, error) {
	body, err := b.Open(ctx, key, providers.ReadOptions{})
	switch {
	case errors.Is(err, providers.NotFound):
		body, err = &providers.Reader{ReadCloser: http.NoBody}, nil
	case errors.Is(err, providers.Denied):
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m := &Manifest{
		bucket: b, object: body.Object, body: body, hash: sha256.New(), tries: maxTries,
		header: entry.Header,
	}
	m.object.Key = key
	content := io.TeeReader(readerFunc(func(p []byte) (int, error) {
		return m.readOn(ctx, p)
	}), m.hash)
	m.lines = bufio.NewReaderSize(steps.Reader(ctx, content), maxLine)
	return m, nil
}

// Close ends the reading.
func (m *Manifest) Close() { _ = m.body.Close() }

type readerFunc func([]byte) (int, error)

// Read implements io.Reader.
func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// readOn reads from the bucket. After a failure it goes on at the same
// byte of the same version.
func (m *Manifest) readOn(ctx context.Context, p []byte) (int, error) {
	for {
		n, err := m.body.Read(p)
		m.read += int64(n)
		if n > 0 || err == nil || errors.Is(err, io.EOF) || ctx.Err() != nil || m.tries == 0 {
			if n > 0 && !errors.Is(err, io.EOF) {
				err = nil // the next Read fails again
			}
			return n, err
		}
		m.tries--
		again, openErr := m.bucket.Open(ctx, m.object.Key, providers.ReadOptions{
			Offset: m.read, Length: m.object.Size - m.read, IfMatch: m.object.ETag,
		})
		if openErr != nil {
			return 0, openErr
		}
		_ = m.body.Close()
		m.body = again
	}
}

// next returns the next entry. ok is false for a line that cannot be
// reused. The error is io.EOF at the end.
func (m *Manifest) next() (e entry.Entry, ok bool, err error) {
	for {
		line, err := m.lines.ReadSlice('\n')
		isLong := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = m.lines.ReadSlice('\n')
		}
		if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
			return entry.Entry{}, false, err
		}
		if rest, ok := strings.CutPrefix(m.header, string(line)); ok && m.header != "" {
			m.header = rest
			continue
		}
		if m.foreign = m.header != ""; m.foreign {
			return entry.Entry{}, false, io.EOF // it may be of any size: nobody needs the rest
		}
		m.count++
		if isLong {
			return entry.Entry{}, false, nil
		}
		e, parseErr := entry.Parse(line)
		return e, parseErr == nil, nil
	}
}

// Facts is what Finish needs to know of the manifest that Plan has
// read.
type Facts struct {
	ETag    string `json:"etag"`
	Size    int64  `json:"size"`   // bytes
	SHA256  string `json:"sha256"` // of the content, in hexadecimal; empty for another kind of file
	Entries int64  `json:"entries"`
	// Removed are entries whose objects are gone or no longer selected:
	// the first keys in the order of code points, MaxRemoved at most. It
	// is empty if that could not be found out.
	Removed []string `json:"removed"`
	// Inexact says that some entries may have been taken for new.
	Inexact bool `json:"inexact"`
}

// facts returns what is known when all has been read. Of a file of
// another kind, which is not read on, that is its version alone.
func (m *Manifest) facts() Facts {
	if m.foreign {
		return Facts{ETag: m.object.ETag, Inexact: true}
	}
	return Facts{
		ETag: m.object.ETag, Size: m.read, SHA256: hex.EncodeToString(m.hash.Sum(nil)),
		Entries: m.count,
	}
}
