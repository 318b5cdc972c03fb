//go:build unix

package file

import (
	"io/fs"
	"syscall"
)

// inode returns the number of a file. It tells two files apart that
// were written in the same tick of the clock.
func inode(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Ino) //nolint:unconvert // on some systems it is narrower
	}
	return 0
}
