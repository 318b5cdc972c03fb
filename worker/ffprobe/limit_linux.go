package ffprobe

import "golang.org/x/sys/unix"

// limitMemory limits the address space of a process to n bytes.
func limitMemory(pid int, n uint64) error {
	limit := unix.Rlimit{Cur: n, Max: n}
	return unix.Prlimit(pid, unix.RLIMIT_AS, &limit, nil)
}
