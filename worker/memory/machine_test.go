package memory

import (
	"os"
	"testing"
	"testing/fstest"
)

const meminfo = "MemTotal:       24684092 kB\nMemFree:         1000 kB\n"

func TestAvailable(t *testing.T) {
	t.Parallel()
	const machine = 24684092 << 10
	const none = "9223372036854771712\n" // no limit, in version 1
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no Linux": {nil, 0},
		"no group": {map[string]string{"proc/meminfo": meminfo}, machine},
		"version 2, a container's own view": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "536870912\n",
		}, 512 << 20},
		"version 2, no limit": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n",
		}, machine},
		"version 2, the group around has less": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/system.slice/stevedore.service\n",
			"sys/fs/cgroup/system.slice/stevedore.service/memory.max": "2147483648\n",
			"sys/fs/cgroup/system.slice/memory.max":                   "1073741824\n",
		}, 1 << 30},
		"version 1": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "5:cpu:/\n4:memory:/docker/abc\n0::/\n",
			"sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "268435456\n",
			"sys/fs/cgroup/memory/docker/memory.limit_in_bytes":     none,
			"sys/fs/cgroup/memory/memory.limit_in_bytes":            none,
		}, 256 << 20},
		"version 1, the path is not seen inside": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "4:memory:/docker/abc\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "268435456\n",
		}, 256 << 20},
		"version 1, no limit": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": none,
		}, machine},
		"a limit alone": {map[string]string{
			"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "536870912\n",
		}, 512 << 20},
		"no limit alone": {map[string]string{
			"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": none,
		}, 0},
		"nonsense": {map[string]string{
			"proc/meminfo": "MemTotal: lots kB\n", "proc/self/cgroup": "\n:\n0::../..\n", "sys/fs/cgroup/memory.max": "-1\n",
		}, 0},
	} {
		root := fstest.MapFS{}
		for path, text := range c.files {
			root[path] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := Available(root); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestAvailable_Here(t *testing.T) {
	t.Parallel()
	if n := Available(os.DirFS("/")); n != 0 && n < 64<<20 {
		t.Errorf("this machine has %d bytes", n)
	}
}
