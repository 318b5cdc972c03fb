package asynqtask_test

import (
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

func TestCheckID(t *testing.T) {
	t.Parallel()
	for id, ok := range map[string]bool{
		"a":                      true,
		"0198-x_y.z":             true,
		strings.Repeat("a", 128): true,
		"":                       false,
		"a b":                    false,
		"a:s:1":                  false,
		"{a}":                    false,
		"-a":                     false,
		strings.Repeat("a", 129): false,
		"a\n":                    false,
		"港":                      false,
	} {
		if err := asynqtask.CheckID(id); (err == nil) != ok {
			t.Errorf("%q: %v", id, err)
		}
	}
}
