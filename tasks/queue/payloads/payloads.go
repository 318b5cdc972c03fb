// Package payloads remembers the payloads of jobs in this process, so
// that not every shard reads them from Redis again. It forgets the
// oldest when they take too much memory.
package payloads

import (
	"slices"
	"sync"
)

// Cache holds payloads up to a size. The zero Cache holds none. It is
// safe for concurrent use.
type Cache struct {
	limit int // bytes of all payloads

	mu       sync.Mutex
	size     int
	payloads map[string]Payload // by job
	order    []string           // jobs, the oldest first
}

// Payload is the payload of a job. Nobody may change its text.
type Payload struct {
	// Version tells it from the payload of another job that has the same
	// ID later.
	Version string
	Text    []byte
}

// New makes a cache of so many bytes.
func New(limit int) *Cache { return &Cache{limit: limit, payloads: map[string]Payload{}} }

// Get returns the payload of a job. It is zero if the cache does not
// have it.
func (c *Cache) Get(job string) Payload {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.payloads[job]
}

// Put remembers the payload of a job, in place of an earlier one.
func (c *Cache) Put(job string, p Payload) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(job)
	if len(p.Text) > c.limit {
		return
	}
	for c.size+len(p.Text) > c.limit {
		c.remove(c.order[0])
	}
	c.payloads[job] = p
	c.order = append(c.order, job)
	c.size += len(p.Text)
}

func (c *Cache) remove(job string) {
	p, there := c.payloads[job]
	if !there {
		return
	}
	delete(c.payloads, job)
	i := slices.Index(c.order, job)
	c.order = slices.Delete(c.order, i, i+1)
	c.size -= len(p.Text)
}
