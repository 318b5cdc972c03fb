package producer

import "github.com/redis/go-redis/v9"

// AddHook lets a test see and delay the calls of a client.
func (c *Client) AddHook(h redis.Hook) { c.redis.AddHook(h) }
