package queue

import "context"

// Caps are limits on shards, shared by all workers.
type Caps struct{ records Records }

// Caps returns the limits that all workers share.
func (s Store) Caps() Caps { return Caps{s.prompt} }

// CapRequest is what a job asks of a cap.
type CapRequest struct {
	Job  string
	Have int // shards that it has under way
	Want int // shards that it wants under way in all
}

// Reserve asks for a job's share of a cap and returns how many shards it may
// have under way, never fewer than it has. A reservation lasts 20 seconds; ask
// again within half of that.
func (c Caps) Reserve(ctx context.Context, limit Cap, q CapRequest) (int, error) {
	return c.records.Share(ctx, limit, q.Job, q.Have, q.Want)
}

// Release gives a job's share back.
func (c Caps) Release(ctx context.Context, name, job string) error {
	return c.records.Unshare(ctx, name, job)
}
