package hostile

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// printTable writes a row for each behaviour, operation and cloud,
// with a column for each kind of job.
func printTable(w io.Writer, results []*result) {
	rows := map[cell]map[string]*result{}
	for _, r := range results {
		row := cell{r.cell.cloud, "", r.cell.operation, r.cell.behaviour}
		if rows[row] == nil {
			rows[row] = map[string]*result{}
		}
		rows[row][r.cell.job] = r
	}
	var keys []cell
	for row := range rows {
		keys = append(keys, row)
	}
	slices.SortFunc(keys, func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.behaviour, b.behaviour), cmp.Compare(a.operation, b.operation), cmp.Compare(a.cloud, b.cloud))
	})
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(table, "behaviour\toperation\tcloud")
	for _, job := range jobs {
		_, _ = fmt.Fprint(table, "\t", job)
	}
	for _, row := range keys {
		_, _ = fmt.Fprintf(table, "\n%s\t%s\t%s", row.behaviour, row.operation, row.cloud)
		for _, job := range jobs {
			_, _ = fmt.Fprint(table, "\t", rows[row][job].text())
		}
	}
	_, _ = fmt.Fprintln(table)
	_ = table.Flush()
}

// text returns the outcome, the seconds, the worker's memory, and how
// many seconds the job went on after deadline, cancel and SIGTERM.
func (r *result) text() string {
	if r == nil {
		return "-"
	}
	text := fmt.Sprintf("%s %.1fs %dMB", r.outcome, r.took.Seconds(), r.memory>>20)
	if r.redis > 100<<10 {
		text += fmt.Sprintf(" %dkB of Redis", r.redis>>10)
	}
	for _, stop := range []struct {
		name  string
		delay time.Duration
	}{{"late", r.late}, {"cancel", r.cancelled}, {"term", r.terminated}} {
		if stop.delay > 0 {
			text += fmt.Sprintf(" %s %.1f", stop.name, stop.delay.Seconds())
		}
	}
	if r.died {
		text += " DIED"
	}
	return text
}
