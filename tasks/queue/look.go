package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Shown is what a coordinator shows of a job under way, beyond what is
// committed.
type Shown struct {
	Objects, Bytes, Failed int64
	Total                  int64 // of objects; -1 when planning counts them
	Rate                   float64
	ETASeconds             int64
}

// View is what a coordinator sees of its job.
type View struct {
	State       tasks.State
	Fault       *tasks.Failure // noted by a shard; nil if there is none
	Committed   tasks.Progress
	Figures     tasks.Progress // what Status shows
	PartsBytes  int64          // in Redis, compressed
	Now         time.Time      // by the server's clock, which the beats are measured by
	Runs        map[int]Run
	done        []byte
	shardsTotal int
}

// Run is what is known of a shard that was begun and is not done.
type Run struct {
	Beat       time.Time // zero when no worker has it; in the future while its task waits to come back
	Generation int
	Live       tasks.Progress // since the last checkpoint
	beat       string
}

// Look is a coordinator's beat: it shows how far the job is and reads what
// the workers have done.
func (r Records) Look(ctx context.Context, c Claim, s Shown) (View, error) {
	v, err := lookScript.Run(ctx, r.client, runKeys(c.ID),
		c.epoch, s.Objects, s.Total, s.Bytes, s.Failed, s.Rate, s.ETASeconds).Slice()
	if err != nil {
		return View{}, fenced(err, recordKey(c.ID))
	}
	text := func(i int) string { t, _ := v[i].(string); return t }
	view := View{
		State: tasks.State(text(0)), PartsBytes: number(text(8)), Now: parseTime(text(9)),
		Committed: tasks.Progress{
			Objects: number(text(2)), ObjectsTotal: number(text(3)), Bytes: number(text(4)), Failed: number(text(5)),
			Shards: number(text(6)), ShardsTotal: number(text(7)),
		},
		done: []byte(text(10)), shardsTotal: int(number(text(7))),
	}
	if fault := text(1); fault != "" {
		view.Fault = new(tasks.Failure)
		if err := json.Unmarshal([]byte(fault), view.Fault); err != nil {
			return view, fmt.Errorf("record of job %s: %w", c.ID, err)
		}
	}
	view.Figures = view.Committed
	view.Figures.Objects, view.Figures.Bytes, view.Figures.Failed = number(text(12)), number(text(13)), number(text(14))
	runs, _ := v[11].([]any)
	view.Runs = parseRuns(runs)
	return view, nil
}

// Done reports whether a shard is committed.
func (v View) Done(shard int) bool {
	return shard/8 < len(v.done) && v.done[shard/8]&(0x80>>(shard%8)) != 0
}

// Undone lists the planned shards from some index on that are not committed,
// so many at most.
func (v View) Undone(from, most int) (undone []int) {
	for i := from; i < v.shardsTotal && len(undone) < most; i++ {
		if !v.Done(i) {
			undone = append(undone, i)
		}
	}
	return undone
}

// parseRuns reads the fields of the hash at runsKey.
func parseRuns(fields []any) map[int]Run {
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
		switch what {
		case "b":
			run.beat = value
			run.Beat, run.Live = parseBeat(value)
		case "g":
			run.Generation = int(number(value))
		}
		runs[n] = run
	}
	return runs
}

func parseBeat(s string) (time.Time, tasks.Progress) {
	f := append(strings.Fields(s), "", "", "", "")
	return parseTime(f[0]), tasks.Progress{Objects: number(f[1]), Bytes: number(f[2]), Failed: number(f[3])}
}
