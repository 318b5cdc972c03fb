package schema

import "slices"

// Group identity: which job it is. Create writes it, or the first
// Claim. A retry keeps it.
const (
	Kind    = "kind"    // string
	Payload = "payload" // JSON, opaque here
	Queue   = "queue"   // string: asynq's queue of the job's task; Claim renews it
	Created = "created" // server's ms
)

// Group fence: who may write now. A retry keeps it and counts on.
const (
	State      = "state"  // a tasks.State: every call that moves the job on
	Epoch      = "epoch"  // counts coordinators: Claim, Cancel, BeginRetry
	Holder     = "holder" // token of the call that last counted the epoch
	Generation = "gen"    // of the job's task: TakeOver, BeginRetry; missing means 0
	Heartbeat  = "beat"   // server's ms: the coordinator; in the future after Suspend
)

// Group plan: what the coordinators of this round have set up.
const (
	Due          = "due"           // server's ms: a task must not begin before: Create
	Started      = "started"       // server's ms: first Claim
	Cursor       = "cursor"        // string: where planning goes on: Plan
	ShardsTotal  = "shards"        // shards planned so far: Plan
	ObjectsTotal = "objects_total" // objects in them: Plan; of a single job: Heartbeat
	Crashes      = "crashes"       // of coordinators since the crash mark changed: TakeOver
	CrashMark    = "crash_mark"    // state|cursor|parts_bytes|objects at the last crash: TakeOver
	Careful      = "careful"       // the epoch in which the job's code runs carefully: BeginCareful
	Taker        = "taker"         // token of the last TakeOver
)

// Group committed: what shards have committed, or what a single job
// has done at its end. Commit and Publish write it.
const (
	Objects    = "objects"      // objects dealt with, the failed ones too
	Bytes      = "bytes"        // bytes read from buckets and written to them
	Failed     = "failed"       // objects on the error list
	Warnings   = "warnings"     // of these: objects with warnings only
	ShardsDone = "shards_done"  // committed shards
	Size       = "size"         // bytes of all parts, uncompressed
	PartsBytes = "parts_bytes"  // bytes of all parts in Redis, compressed
	KeptBytes  = "kept_bytes"   // bytes that count against the budget: Plan, Commit, Publish
	InputBytes = "input_bytes"  // bytes of all inputs, which count too: Plan, Commit
	ErrorsKept = "errors_kept"  // stored lines of the error list
	ErrorsSize = "errors_bytes" // bytes of these lines, compressed
	Codes      = "codes"        // fields that begin with Code
	Code       = "code:"        // prefix: failed objects with a code, "code:not-found"
	Tally      = "tally:"       // prefix: a count of the job's own, "tally:jpeg"
)

// Group shown: the progress that readers see. The counts never fall
// within a round. Heartbeat, Commit and Publish write them, through
// the one function in lua/shared/show.lua.
const (
	ShownObjects  = "shown_objects"
	ShownBytes    = "shown_bytes"
	ShownFailed   = "shown_failed"
	ShownWarnings = "shown_warnings"
	Rate          = "rate" // objects a second, a decimal number: Heartbeat; 0 at the end
	ETA           = "eta"  // seconds until the last object: Heartbeat; 0 at the end
)

// Group retry: what a retry works on, and what comes back if it does
// not succeed. BeginRetry writes it.
const (
	Round            = "round"        // counts retries
	PreviousResult   = "amends"       // JSON: result of the round before; only during a retry
	PreviousFailed   = "was_failed"   // the field failed of the round before
	PreviousWarnings = "was_warnings" // the field warnings of the round before
	PreviousKept     = "was_kept"     // the field errors_kept of the round before
)

// Group end: how the round ended.
const (
	Result       = "result"   // JSON: Publish
	Failure      = "failure"  // a tasks.Failure as JSON: Publish
	Finished     = "finished" // server's ms: Publish, Cancel
	StateBefore  = "had"      // the state before Cancel
	ShardFailure = "fault"    // a tasks.Failure as JSON: ShardLease.Fail
)

// Group event: what the stream of events does not have yet.
const (
	Outbox = "outbox" // a tasks.Event as JSON: Publish, Cancel; removed when sent
)

// Groups returns the fields of each group. Code and Tally are
// prefixes.
func Groups() map[string][]string {
	return map[string][]string{
		"identity": {Kind, Payload, Queue, Created},
		"fence":    {State, Epoch, Holder, Generation, Heartbeat},
		"plan": {
			Due, Started, Cursor, ShardsTotal, ObjectsTotal, Crashes, CrashMark, Careful, Taker,
		},
		"committed": {
			Objects, Bytes, Failed, Warnings,
			ShardsDone, Size, PartsBytes, KeptBytes, InputBytes,
			ErrorsKept, ErrorsSize, Codes, Code, Tally,
		},
		"shown": {ShownObjects, ShownBytes, ShownFailed, ShownWarnings, Rate, ETA},
		"retry": {Round, PreviousResult, PreviousFailed, PreviousWarnings, PreviousKept},
		"end":   {Result, Failure, Finished, StateBefore, ShardFailure},
		"event": {Outbox},
	}
}

// RoundFields returns the fields that belong to one round of a job:
// the groups plan, committed, shown and end. BeginRetry removes them
// all.
func RoundFields() []string {
	g := Groups()
	return slices.Concat(g["plan"], g["committed"], g["shown"], g["end"])
}
