package queue

// The keys of one job share its hash tag, so that a script may touch them
// together on a cluster too.
func recordKey(id string) string { return "stevedore:{" + id + "}:job" }
func shardsKey(id string) string { return "stevedore:{" + id + "}:shards" } // LIST of planned shards, by index
func doneKey(id string) string   { return "stevedore:{" + id + "}:done" }   // BITMAP of committed shards
func partsKey(id string) string  { return "stevedore:{" + id + "}:parts" }  // HASH shard -> data so far, zstd frames
func errorsKey(id string) string { return "stevedore:{" + id + "}:errors" } // HASH shard -> lines of the error list, zstd frames
func retryKey(id string) string  { return "stevedore:{" + id + "}:retry" }  // the error list that a retry works on
func madeKey(id string) string   { return "stevedore:{" + id + "}:made" }   // HASH shard -> run that made its last piece

// runsKey is a HASH of what is known of shards under way. The fields of shard
// 7 are
//
//	7:b  beat: the server's time in ms, then objects, bytes and failed since the last checkpoint
//	7:g  generation of the task that shall run it, when the first one was lost
//	7:r  last key of the checkpoint
//	7:c  crashes since the checkpoint
//	7:a  key of the object that a careful run was at
//	7:k  how often a worker died at that object
func runsKey(id string) string { return "stevedore:{" + id + "}:runs" }

const (
	activeKey = "stevedore:active" // ZSET of jobs that have not ended -> when somebody last looked after them, ms
	eventsKey = "stevedore:events" // STREAM
)

func capKey(name string) string { return "stevedore:cap:{" + name + "}" } // HASH job -> "granted wanted until-ms"

// jobKeys are all keys of a job that scripts of its end touch.
func jobKeys(id string) []string {
	return []string{recordKey(id), shardsKey(id), doneKey(id), partsKey(id), runsKey(id), errorsKey(id), retryKey(id), madeKey(id)}
}
