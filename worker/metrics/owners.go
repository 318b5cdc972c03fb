package metrics

import (
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// maxOwners is how many pairs of a bucket and a tenant have series
	// of their own.
	maxOwners = 100
	// ownerIdle is how long a pair must not be used before another may
	// have its place. A pair that came and went would break rates.
	ownerIdle = 24 * time.Hour
	// other is the bucket and the tenant of all further pairs.
	other = "other"
	// maxLabel is the longest value of a label, in bytes.
	maxLabel = 128
)

// owner says whose work is counted.
type owner struct{ bucket, tenant string }

// owners bounds the values of the labels bucket and tenant, which
// payloads choose. All metrics that have them ask it. The first pairs get series of their own. Both
// labels of further pairs are "other", until a pair becomes idle.
type owners struct {
	mu     sync.Mutex
	used   map[owner]time.Time // when each pair was used last
	remove func(owner)         // removes the series of a pair
}

func newOwners(vecs ...*prometheus.CounterVec) *owners {
	return &owners{used: map[owner]time.Time{}, remove: func(o owner) {
		for _, v := range vecs {
			v.DeletePartialMatch(prometheus.Labels{"bucket": o.bucket, "tenant": o.tenant})
		}
	}}
}

// get returns the values of the labels of a pair.
func (all *owners) get(bucket, tenant string, now time.Time) owner {
	o := owner{shorten(bucket), shorten(tenant)}
	all.mu.Lock()
	defer all.mu.Unlock()
	if _, ok := all.used[o]; !ok && len(all.used) >= maxOwners && !all.makeRoom(now) {
		return owner{other, other}
	}
	all.used[o] = now
	return o
}

// bucket returns the value of the label of a bucket: "other" if no pair
// with it has a place. It gives no place.
func (all *owners) bucket(name string) string {
	name = shorten(name)
	all.mu.Lock()
	defer all.mu.Unlock()
	for o := range all.used {
		if o.bucket == name {
			return name
		}
	}
	return other
}

// makeRoom forgets the pairs that are idle.
func (all *owners) makeRoom(now time.Time) (ok bool) {
	for o, used := range all.used {
		if now.Sub(used) > ownerIdle {
			delete(all.used, o)
			all.remove(o)
			ok = true
		}
	}
	return ok
}

// shorten returns a valid value of a label.
func shorten(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxLabel)], "")
}
