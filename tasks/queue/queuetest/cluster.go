package queuetest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Nodes is a Redis Cluster of three redis-servers. Each has a third
// of the slots and no replica.
type Nodes [3]*Redis

const slots = 16384 // of every Redis Cluster

// StartCluster starts a cluster and waits until every node serves,
// which takes about three seconds. Like Start it may skip the test.
func StartCluster(t testing.TB) Nodes {
	t.Helper()
	var nodes Nodes
	for i := range nodes {
		nodes[i] = newNode(t)
	}
	nodes.join(t)
	nodes.await(t, len(nodes))
	return nodes
}

// newNode starts a node that knows no other.
func newNode(t testing.TB) *Redis {
	t.Helper()
	n := prepare(t)
	n.bus = freePort(t)
	n.args = append(n.args, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf",
		"--cluster-port", strconv.Itoa(n.bus), "--cluster-node-timeout", "2000")
	n.Up()
	return n
}

// join gives each node its slots and introduces it to the others.
func (n Nodes) join(t testing.TB) {
	t.Helper()
	for i, node := range n {
		run(t, node, "CLUSTER", "ADDSLOTSRANGE", i*slots/len(n), (i+1)*slots/len(n)-1)
		// Without different epochs the nodes would have to agree
		// first.
		run(t, node, "CLUSTER", "SET-CONFIG-EPOCH", i+1)
		if i > 0 {
			run(t, n[0], "CLUSTER", "MEET", "127.0.0.1", node.port, node.bus)
		}
	}
}

func run(t testing.TB, r *Redis, command ...any) {
	t.Helper()
	c := r.options.Client()
	defer func() { _ = c.Close() }()
	if err := c.Do(t.Context(), command...).Err(); err != nil {
		t.Fatalf("%v: %v", command, err)
	}
}

// await waits until every node knows all nodes of the cluster and serves
// its slots.
func (n Nodes) await(t testing.TB, all int) {
	t.Helper()
	for _, node := range n {
		c := redis.NewClient(&redis.Options{Addr: node.options.Addr})
		Eventually(t, 30*time.Second, "all nodes of the cluster serve", func() bool {
			info := c.ClusterInfo(context.Background()).Val()
			return strings.Contains(info, "cluster_state:ok") &&
				strings.Contains(info, "cluster_slots_ok:16384") &&
				strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d\r", all))
		})
		_ = c.Close()
	}
}

// Options returns how to reach the cluster. It names two of the
// nodes.
func (n Nodes) Options() redisconn.Options {
	return redisconn.Options{
		Mode: redisconn.Cluster,
		Addr: n[1].options.Addr + "," + n[2].options.Addr,
	}
}

// Down stops every node as an operator does.
func (n Nodes) Down() {
	for _, node := range n {
		node.Down()
	}
}

// Up starts every node again with its data. It does not wait until
// the nodes serve, which takes some seconds more.
func (n Nodes) Up() {
	for _, node := range n {
		node.Up()
	}
}
