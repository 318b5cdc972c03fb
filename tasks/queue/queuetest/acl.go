package queuetest

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// StartACL starts a real Redis like Start. Its only user has
// redisconn.AccessRules. The default user is off.
func StartACL(t testing.TB) *Redis {
	t.Helper()
	r := prepare(t)
	r.options.Username, r.options.Password = "stevedore", rand.Text()
	users := "user default off\n" +
		"user stevedore on >" + r.options.Password + " " + redisconn.AccessRules + "\n"
	file := filepath.Join(t.TempDir(), "users.acl")
	if err := os.WriteFile(file, []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	r.args = append(r.args, "--aclfile", file)
	r.Up()
	return r
}
