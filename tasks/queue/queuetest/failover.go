package queuetest

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Replicated is a Redis of which every master has a replica that takes
// its place when it dies: a cluster, or a server with a sentinel.
type Replicated struct {
	t       testing.TB
	options redisconn.Options
	nodes   []*Redis
	// masterOf returns the address of the master that a node, or the
	// sentinel, names for a key. It is empty if that does not answer.
	masterOf func(ask *Redis, key string) (addr string)
	ask      []*Redis // whom masterOf asks
}

// Replicateds returns functions that start each kind.
func Replicateds() map[string]func(testing.TB) *Replicated {
	return map[string]func(testing.TB) *Replicated{
		"cluster":  StartReplicatedCluster,
		"sentinel": StartReplicatedSentinel,
	}
}

// Options returns how to reach it.
func (r *Replicated) Options() redisconn.Options { return r.options }

// Master returns the server that is the master for a key now.
func (r *Replicated) Master(key string) (master *Redis) {
	r.t.Helper()
	Eventually(r.t, time.Minute, "there is a master", func() bool {
		for _, ask := range r.ask {
			addr := ""
			if ask.cmd != nil {
				addr = r.masterOf(ask, key)
			}
			for _, node := range r.nodes {
				if addr == node.options.Addr && node.cmd != nil && node.role() == "master" {
					master = node
					return true
				}
			}
		}
		return false
	})
	return master
}

// Failover kills the master for a key without warning, and waits until
// its replica is the master. The caller starts the dead one again with
// Up; it then becomes a replica.
func (r *Replicated) Failover(key string) (dead *Redis) {
	r.t.Helper()
	dead = r.Master(key)
	dead.Kill()
	r.Master(key)
	return dead
}

// AwaitReplicas waits until every master has a replica with all its
// data, so that the next failover is possible.
func (r *Replicated) AwaitReplicas() {
	r.t.Helper()
	masters := len(r.nodes) / 2
	Eventually(r.t, time.Minute, "every master has a replica", func() bool {
		replicas := 0
		for _, node := range r.nodes {
			if node.cmd != nil && strings.Contains(node.replication(), "master_link_status:up") {
				replicas++
			}
		}
		return replicas >= masters
	})
}

func (r *Redis) replication() string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	c := redis.NewClient(&redis.Options{Addr: r.options.Addr, DisableIdentity: true})
	defer func() { _ = c.Close() }()
	return c.Info(ctx, "replication").Val()
}

// role returns "master" or "slave", or "" if the server does not answer.
func (r *Redis) role() string {
	_, rest, _ := strings.Cut(r.replication(), "role:")
	role, _, _ := strings.Cut(rest, "\r\n")
	return role
}

// StartReplicatedCluster starts a cluster of three masters and three
// replicas, which takes about six seconds. Like Start it may skip the
// test.
func StartReplicatedCluster(t testing.TB) *Replicated {
	t.Helper()
	masters := StartCluster(t)
	r := &Replicated{t: t, options: masters.Options(), nodes: masters[:], masterOf: clusterMaster}
	for _, master := range masters {
		replica := newNode(t)
		run(t, master, "CLUSTER", "MEET", "127.0.0.1", replica.port, replica.bus)
		r.nodes = append(r.nodes, replica)
	}
	for i, replica := range r.nodes[len(masters):] {
		replicate(t, replica, masters[i])
	}
	r.ask = r.nodes
	r.AwaitReplicas()
	masters.await(t, len(r.nodes))
	return r
}

// replicate makes a node the replica of another once it knows it.
func replicate(t testing.TB, replica, master *Redis) {
	t.Helper()
	c, m := replica.options.Client(), master.options.Client()
	defer func() { _, _ = c.Close(), m.Close() }()
	id, err := m.Do(t.Context(), "CLUSTER", "MYID").Text()
	if err != nil {
		t.Fatal(err)
	}
	Eventually(t, 30*time.Second, "the replica knows its master", func() bool {
		return c.Do(context.Background(), "CLUSTER", "REPLICATE", id).Err() == nil
	})
}

// clusterMaster asks a node of a cluster.
func clusterMaster(ask *Redis, key string) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	c := redis.NewClient(&redis.Options{Addr: ask.options.Addr, DisableIdentity: true})
	defer func() { _ = c.Close() }()
	slot := int(c.ClusterKeySlot(ctx, key).Val())
	slots := c.ClusterSlots(ctx).Val() //nolint:staticcheck // ClusterShards needs Redis 7
	for _, s := range slots {
		if s.Start <= slot && slot <= s.End && len(s.Nodes) > 0 {
			return s.Nodes[0].Addr
		}
	}
	return ""
}

// StartReplicatedSentinel starts a server, its replica, and a sentinel
// that calls them "harbour". Like Start it may skip the test.
func StartReplicatedSentinel(t testing.TB) *Replicated {
	t.Helper()
	master, replica := Start(t), prepare(t)
	replica.args = append(replica.args, "--replicaof", "127.0.0.1 "+strconv.Itoa(master.port))
	replica.Up()
	sentinel := startSentinel(t, master, "sentinel down-after-milliseconds harbour 1000\n"+
		"sentinel failover-timeout harbour 3000\n")
	r := &Replicated{
		t:        t,
		options:  sentinelOptions(sentinel),
		nodes:    []*Redis{master, replica},
		masterOf: sentinelMaster,
		ask:      []*Redis{sentinel},
	}
	r.AwaitReplicas()
	Eventually(t, 30*time.Second, "the sentinel knows the replica", func() bool {
		c := redis.NewSentinelClient(sentinel.redisOptions())
		defer func() { _ = c.Close() }()
		replicas, err := c.Replicas(context.Background(), "harbour").Result()
		return err == nil && len(replicas) == 1 && replicas[0]["flags"] == "slave"
	})
	return r
}

func sentinelMaster(sentinel *Redis, _ string) string {
	c := redis.NewSentinelClient(sentinel.redisOptions())
	defer func() { _ = c.Close() }()
	addr, err := c.GetMasterAddrByName(context.Background(), "harbour").Result()
	if err != nil || len(addr) != 2 {
		return ""
	}
	return addr[0] + ":" + addr[1]
}

func (r *Redis) redisOptions() *redis.Options {
	return &redis.Options{
		Addr: r.options.Addr, Password: r.options.Password, DisableIdentity: true,
	}
}
