package redisconn

import (
	"context"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// nodeTimeout is how long one node of a cluster may take to accept a
// connection, or to answer. A call tries a node that hangs twice, so
// after a failover it reaches the new master within five seconds.
const nodeTimeout = 2 * time.Second

// newCluster returns the client of a cluster. It learns within a moment
// that a replica has taken the place of a dead master. On its own
// go-redis asks for the nodes once a minute, and when a node names
// another one. But a dead node names none.
func newCluster(u *redis.UniversalOptions) *redis.ClusterClient {
	o := u.Cluster()
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = nodeTimeout, nodeTimeout, nodeTimeout
	o.DialerRetries = 1 // the call itself is repeated, perhaps at another node
	c := redis.NewClusterClient(o)
	c.OnNewNode(func(node *redis.Client) { node.AddHook(reloadNodes{c.ReloadState}) })
	return c
}

// reloadNodes asks the cluster for its nodes when one of them does not
// answer. go-redis asks only once in 200 ms, however often reload is called.
type reloadNodes struct{ reload func(context.Context) }

func (r reloadNodes) after(ctx context.Context, err error) {
	if err != nil && isOutage(err) {
		r.reload(ctx)
	}
}

func (r reloadNodes) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := next(ctx, network, addr)
		r.after(ctx, err)
		return c, err
	}
}

func (r reloadNodes) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		r.after(ctx, err)
		return err
	}
}

func (r reloadNodes) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		r.after(ctx, err)
		return err
	}
}
