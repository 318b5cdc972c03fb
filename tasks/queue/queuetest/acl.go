package queuetest

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// StartACL starts a real Redis like Start. The user of its Options has
// redisconn.AccessRules. The default user is off.
func StartACL(t testing.TB) *Redis {
	t.Helper()
	r := prepare(t)
	r.options.Username, r.options.Password = "stevedore", rand.Text()
	users := "user default off\n" +
		"user stevedore on >" + r.options.Password + " " + redisconn.AccessRules + "\n" +
		"user admin on >" + r.options.Password + " ~* &* +@all\n"
	file := filepath.Join(t.TempDir(), "users.acl")
	if err := os.WriteFile(file, []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	r.args = append(r.args, "--aclfile", file)
	r.Up()
	return r
}

// Violations returns what a Redis of StartACL has refused because a user
// had no right to it.
func (r *Redis) Violations() any {
	r.t.Helper()
	o := r.options
	o.Username = "admin"
	c := o.Client()
	defer func() { _ = c.Close() }()
	log, err := c.Do(context.Background(), "ACL", "LOG").Slice()
	if err != nil {
		r.t.Fatal(err)
	}
	if len(log) == 0 {
		return nil
	}
	return log
}
