package admission

import (
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// ByPriority splits each queue into the queues of its priorities,
// weighted 6 to 3 to 1.
func ByPriority(queues map[string]int) map[string]int {
	weights := map[tasks.Priority]int{
		tasks.PriorityHigh:   6,
		tasks.PriorityNormal: 3,
		tasks.PriorityLow:    1,
	}
	all := map[string]int{}
	for base, weight := range queues {
		for p, n := range weights {
			all[p.Queue(base)] = n * weight
		}
	}
	return all
}

func isLow(queue string) bool {
	return strings.HasSuffix(queue, tasks.PriorityLow.Queue(""))
}
