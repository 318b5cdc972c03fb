package schema

import (
	"strconv"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Run is what the hash at Runs holds of a shard, as far as a
// coordinator needs it.
type Run struct {
	Heartbeat  string // as it is in Redis; empty if no run has the shard
	Generation int
}

// ParseRuns reads the hash at Runs, in which fields and values
// alternate. It returns the runs by the index of their shard.
func ParseRuns(fields []any) map[int]Run {
	runs := map[int]Run{}
	for i := 0; i+1 < len(fields); i += 2 {
		name, _ := fields[i].(string)
		value, _ := fields[i+1].(string)
		index, what, _ := strings.Cut(name, ":")
		n, err := strconv.Atoi(index)
		if err != nil {
			continue
		}

		run := runs[n]
		switch ":" + what {
		case RunHeartbeat:
			run.Heartbeat = value
		case RunGeneration:
			run.Generation = int(Number(value))
		}
		runs[n] = run
	}
	return runs
}

// Live reads the heartbeat: when it was, and what the run has done
// since its last checkpoint. The time is zero if no run has the
// shard.
func (r Run) Live() (time.Time, tasks.Progress) {
	f := append(strings.Fields(r.Heartbeat), "", "", "", "", "")
	return Time(f[0]), tasks.Progress{
		Objects:  Number(f[1]),
		Bytes:    Number(f[2]),
		Failed:   Number(f[3]),
		Warnings: Number(f[4]),
	}
}
