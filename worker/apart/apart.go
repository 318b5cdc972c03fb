// Package apart keeps the runs of one process apart that may kill it.
//
// When a process dies, nobody knows which of its runs was the reason:
// a job's own code, or a shard. So a run at which workers have died
// before is not made beside another such run. If its process dies then,
// that run is the likely reason.
//
// The package only counts the runs of this process. It does not know
// how often workers died at a run.
package apart

import "sync"

// Room is what the suspect runs of one process enter. The zero value is
// ready. It is safe for concurrent use.
type Room struct {
	mu     sync.Mutex
	job    bool // the code of a suspect job runs
	shards int  // suspect shards that run
}

// EnterJob lets the code of a suspect job in, if no other suspect run is
// in. The caller must call leave, once, when the code has returned.
func (r *Room) EnterJob() (leave func(), ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.job || r.shards > 0 {
		return nil, false
	}
	r.job = true
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.job = false
	}, true
}

// EnterShard lets a suspect shard in, unless a suspect job is in. Shards
// take turns among themselves, object by object. The caller must call
// leave, once, when the run has ended.
func (r *Room) EnterShard() (leave func(), ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.job {
		return nil, false
	}
	r.shards++
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.shards--
	}, true
}
