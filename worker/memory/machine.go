package memory

import (
	"bytes"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// Available returns how many bytes of memory this process may use: what
// the machine has, or less if a cgroup of version 1 or 2 limits it.
// root is the root directory of the system: os.DirFS("/"). It returns 0
// if the system is no Linux.
func Available(root fs.FS) int64 {
	least := int64(math.MaxInt64)
	for _, name := range limitFiles(root) {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			continue // the root group has no limit, and a container sees only its own groups
		}
		// "max" is no limit, and no number.
		n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
		if err == nil && n > 0 {
			least = min(least, n)
		}
	}
	if total := machineMemory(root); total > 0 {
		least = min(least, total)
	}
	if least >= unlimited {
		return 0
	}
	return least
}

// unlimited is a number below the one that cgroups of version 1 write
// when there is no limit. That one depends on the size of a page.
const unlimited = math.MaxInt64 / 2

// limitFiles returns the files that may limit the memory of this
// process: those of its groups and of all groups around them.
func limitFiles(root fs.FS) []string {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return nil
	}
	var files []string
	for line := range strings.Lines(string(groups)) { // hierarchy:controllers:path
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		var mount, file string
		switch controllers {
		case "":
			mount, file = "sys/fs/cgroup", "memory.max"
		case "memory":
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		for group = path.Clean("/" + group); ; group = path.Dir(group) {
			files = append(files, path.Join(mount, group, file))
			if group == "/" {
				break
			}
		}
	}
	return files
}

// machineMemory returns the memory of the machine in bytes; 0 if that
// is not known.
func machineMemory(root fs.FS) int64 {
	text, err := fs.ReadFile(root, "proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line) // "MemTotal:", a number, "kB"
		if len(fields) == 3 && fields[0] == "MemTotal:" {
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			if err == nil && kilobytes < math.MaxInt64/1024 {
				return kilobytes * 1024
			}
		}
	}
	return 0
}
