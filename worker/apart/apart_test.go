package apart_test

import (
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/apart"
)

// The code of a suspect job runs alone; suspect shards run beside each
// other.
func TestRoom(t *testing.T) {
	t.Parallel()
	var room apart.Room
	leaveJob, ok := room.EnterJob()
	if !ok {
		t.Fatal("the first job may not enter")
	}
	if _, ok := room.EnterJob(); ok {
		t.Error("a second job may enter")
	}
	if _, ok := room.EnterShard(); ok {
		t.Error("a shard may enter beside a job")
	}
	leaveJob()

	leaveOne, ok1 := room.EnterShard()
	leaveTwo, ok2 := room.EnterShard()
	if !ok1 || !ok2 {
		t.Fatal("two shards may not enter")
	}
	leaveOne()
	if _, ok := room.EnterJob(); ok {
		t.Error("a job may enter beside a shard")
	}
	leaveTwo()
	if _, ok := room.EnterJob(); !ok {
		t.Error("a job may not enter when the shards have left")
	}
}
