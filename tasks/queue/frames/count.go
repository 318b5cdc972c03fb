package frames

import "github.com/stevedore-jobs/stevedore/tasks"

// CountWarnings returns how many lines of an error list are warnings.
func CountWarnings(list []tasks.ObjectError) (n int) {
	for _, e := range list {
		if e.Warning {
			n++
		}
	}
	return n
}

// CountCodes returns how many lines of an error list have each code.
func CountCodes(list []tasks.ObjectError) map[string]int64 {
	codes := map[string]int64{}
	for _, e := range list {
		codes[e.Code]++
	}
	return codes
}
