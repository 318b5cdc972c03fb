package asynqtask

import (
	"fmt"
	"regexp"
)

var validID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// CheckID says what is wrong with a job ID that a caller chose.
func CheckID(id string) error {
	if !validID.MatchString(id) {
		return fmt.Errorf("job ID %q: use 1 to 128 letters, digits, dots, dashes and underscores, "+
			"a letter or digit first", id)
	}
	return nil
}
