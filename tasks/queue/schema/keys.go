// Package schema names every key of Redis that Stevedore writes, and
// every field of a job's record, with its type, its unit and its
// writer.
//
// The keys of one job share a hash tag, so that one script can use
// them together on a cluster, too. A job's record is the hash at
// RecordKey. Its fields form groups. A retry clears whole groups, see
// RoundFields.
package schema

// The names of a job's keys, as the scripts call them.
const (
	Record = "record" // HASH: see the fields
	Shards = "shards" // LIST of planned shards, by index: Lease.Plan
	Done   = "done"   // BITMAP of committed shards, by index: ShardLease.Commit

	// HASHes with the index of a shard as field.

	Parts  = "parts"  // its committed data, zstd frames: ShardLease.Commit
	Errors = "errors" // its lines of the error list, zstd frames: Commit and Publish
	Retry  = "retry"  // like errors: the list that a retry works on: BeginRetry
	Made   = "made"   // token of the run that made its last checkpoint: Commit
	Inputs = "inputs" // what its run needs beside the planned shard, until it is done: Lease.Plan
	Runs   = "runs"   // shards under way, see RunHeartbeat: ShardLease, ReplaceShard
)

// The names of the other keys.
const (
	Active = "active" // ZSET: job that has not ended -> when a reaper shall look at it, ms
	Events = "events" // STREAM: see EventJob
	Cap    = "cap"    // ZSET: task under way -> server's ms at which its lease ends: Caps
)

const prefix = "stevedore:"

// The keys that exist once.
const (
	ActiveKey = prefix + Active
	EventsKey = prefix + Events
)

// Key returns the key with a name. id is the ID of the job, or the
// name of the cap. Key returns an empty string for an unknown name.
func Key(name, id string) string {
	switch name {
	case Record:
		return RecordKey(id)
	case Shards, Done, Parts, Errors, Retry, Made, Inputs, Runs:
		return prefix + "{" + id + "}:" + name
	case Active:
		return ActiveKey
	case Events:
		return EventsKey
	case Cap:
		return prefix + "capped:{" + id + "}"
	}
	return ""
}

// TurnsKey returns the key of a ZSET: owner or job -> number of its
// last turn at a queue. Package turns uses it.
func TurnsKey(queue string) string { return prefix + "{" + queue + "}:turns" }

// TakenKey returns the key of a STRING that holds the last call of a
// process that took a task off a queue, and the task. Package turns
// uses it.
func TakenKey(queue, process string) string {
	return prefix + "{" + queue + "}:taken:" + process
}

// RecordKey returns the key of a job's record.
func RecordKey(id string) string { return prefix + "{" + id + "}:job" }

// The fields of the hash at Runs. The index of the shard stands
// before them: "7:b" is the heartbeat of shard 7.
const (
	RunHeartbeat  = ":b" // server's ms; objects, bytes, failed, warnings since the checkpoint
	RunGeneration = ":g" // of the task that must run the shard; missing means 0
	RunResume     = ":r" // last key of the checkpoint
	RunCrashes    = ":c" // crashes of workers since the checkpoint
	RunSuspect    = ":a" // key of the object that a careful run was about to touch
	RunStrikes    = ":k" // how often a worker died at that object
)

// RunFields returns all fields of a shard in the hash at Runs.
func RunFields() []string {
	return []string{RunHeartbeat, RunGeneration, RunResume, RunCrashes, RunSuspect, RunStrikes}
}

// The fields of an entry of the stream at Events.
const (
	EventJob  = "job"   // the job's ID
	EventBody = "event" // a tasks.Event as JSON
)
