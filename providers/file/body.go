package file

import (
	"errors"
	"io"
	"os"

	"github.com/stevedore-jobs/stevedore/providers"
)

// body reads the part of a file that was asked for.
type body struct {
	bucket *bucket
	key    string
	file   *os.File
	left   int64
}

func (r *body) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.file.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if errors.Is(err, io.EOF) { // the file was shortened after it was opened
		return n, &providers.Error{
			Op: "get", Bucket: r.bucket.name, Key: r.key,
			Kind: providers.Unavailable, Err: io.ErrUnexpectedEOF,
		}
	}
	return n, r.bucket.wrapError("get", r.key, err)
}

func (r *body) Close() error { return r.file.Close() }
