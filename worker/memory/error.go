package memory

import (
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// TooLargeError says that something needs more memory than a share may
// have. To wait would not help.
type TooLargeError struct {
	Need    int64 // bytes
	Largest int64 // bytes that one share may have
	Limit   int64 // bytes of the whole budget
}

// Error names the sizes and the setting.
func (e *TooLargeError) Error() string {
	const mebibyte = 1 << 20
	part := "three quarters"
	if e.Largest < e.Limit/2 {
		part = "a quarter"
	}
	return fmt.Sprintf("it needs %d MiB of memory, and may take %d MiB: "+
		"%s of %s, which is %d MiB", (e.Need+mebibyte-1)/mebibyte,
		e.Largest/mebibyte, part, setting.MemoryBudget, e.Limit/mebibyte)
}
