// Package queue reads and writes what producers and workers share in
// Redis about a job: its record, its shards, its error list and its
// events. The scripts in package lua do every change of the first
// three, so that each is made whole or not at all.
//
// The package knows no cloud and no kind of job: a payload, a part and
// a result are bytes to it. Package asynqtask handles the tasks that
// carry jobs and shards, package schema names all keys and fields.
//
// # Roles
//
// Store is for producers and for everybody who reads. A coordinator
// gets a Lease with Claim, a run of a shard gets a ShardLease with
// StartShard. A Reaper takes over jobs whose coordinator is gone.
// Package caps has the limits that all workers share.
//
// # States of a job
//
//	Create
//	   |
//	   v
//	queued --Claim--> planning --Advance--> running --Advance--> finishing
//	 |  ^                                    ^  |                    |
//	 +--|--Claim of a single job-------------+  |                    |
//	    |                                       +------Publish-------+
//	    |                                       v
//	    |                                    +-------------------------+
//	    +-------------BeginRetry-------------| succeeded or failed     |
//	                                         +-------------------------+
//
// Publish of a failure is also possible while a job is planning. Cancel
// moves a job to cancelled from every state outside the box. BeginRetry
// begins a cancelled job again, too.
//
// A record that no worker claims expires 30 days after its task could
// begin. Claim makes it stay until the end of the job. Publish and
// Cancel remove the shards and their data, and say how long the record
// stays.
//
// A retry is the next round of the same record. It clears the groups of
// fields that belong to one round, see package schema. If the job has a
// result, the retry works on the objects of the error list. If it then
// fails or is cancelled, the result and the list of the round before
// come back. A job without a result begins as if it was new.
//
// # What guards a record
//
// Everything may run twice or too late: a call that is sent again, a
// task that asynq starts twice, a worker that was taken for dead. These
// values keep that harmless:
//
//   - The epoch counts the coordinators of a job. A Lease holds
//     the epoch of its Claim. A lease with an old epoch is fenced:
//     it cannot write.
//   - The generation counts the tasks that carried a job, or a
//     shard. When a task is lost, the next generation replaces it.
//     A task of an earlier generation gets no lease.
//   - The round counts the retries of a job. The IDs of its events
//     contain the round. A run of a shard can write only in the
//     round in which it started.
//   - A token is a random text of one call. The record keeps the
//     token of the last call (holder, taker, made). So a call that
//     is sent again counts once.
//   - From of a Checkpoint is where the shard must stand. If several
//     runs commit the same work, the first one counts.
//   - The crash mark is how far a job was when its coordinator
//     crashed last. When it changes, the count of crashes begins
//     again.
//
// All times are the server's, but for those of events. Heartbeats, of
// coordinators and of shards, are such times. A task that waits to come
// back has its heartbeat in the future.
package queue
