package check

import (
	"crypto/rand"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// RandomKey returns a key under the storage's prefix that no object
// has.
func RandomKey(s tasks.Storage) string {
	return s.Dir() + ".stevedore-probe-" + strings.ToLower(rand.Text())
}
