package memory

import "runtime/debug"

// uncounted is about how many bytes a process holds that no share pays
// for: the program's own structures, buffers of connections, lists of
// keys, and garbage.
const uncounted = 192 << 20

// LimitHeap makes Go's garbage collector keep the process near a budget
// of so many bytes. Without it the heap may grow to twice of what is in
// use before the collector runs. Then the system may kill a process
// whose shares were all within the budget.
//
// available is the memory that the process may use; 0 if that is not
// known. LimitHeap returns the limit in bytes. It concerns the whole
// process, so it is for main alone.
func LimitHeap(budget, available int64) int64 {
	limit := budget + uncounted
	if available > 0 {
		limit = min(limit, available/10*9)
	}
	debug.SetMemoryLimit(limit)
	return limit
}
