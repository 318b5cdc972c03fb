package file

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/stevedore-jobs/stevedore/providers"
)

// wrapError makes the *providers.Error of a failed system call. An
// error that is one already, and nil, stay as they are. It takes the
// cause out of fs.PathError and os.LinkError, because their paths
// repeat the key or name an unfinished file.
func (b *bucket) wrapError(op, key string, err error) error {
	var known *providers.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno
	}
	e := &providers.Error{Op: op, Bucket: b.name, Key: key, Kind: kindOf(err), Err: err}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		e.Fix = "Make room on the disk that holds " + b.name + "."
	}
	if e.Kind == providers.NotFound && key == "" {
		e.Detail = "there is no such directory"
		e.Fix = "Check the path " + b.name + " on the machine where the job runs. " +
			"A job makes the directory that it writes to, but not the one that it reads."
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		e.Fix = "Let the user that the worker runs as " + op + " in " + b.name + "."
	}
	return e
}

func kindOf(err error) providers.Kind {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return providers.NotFound
	case errors.Is(err, fs.ErrExist):
		return providers.Conflict
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return providers.Denied
	case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.EISDIR),
		errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.EILSEQ):
		return providers.Invalid
	}
	return providers.KindOf(err)
}

func (b *bucket) newError(op, key string, kind providers.Kind, detail string) *providers.Error {
	return &providers.Error{Op: op, Bucket: b.name, Key: key, Kind: kind, Detail: detail}
}
