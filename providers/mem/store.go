package mem

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// store holds the content of one bucket. The data of a stored object
// never changes, so readers need no copy.
type store struct {
	order      keyorder.Order // one order
	tellsOrder bool           // buckets know the order before they list

	mu      sync.RWMutex
	objects map[string]object
	keys    []string // of objects, in order; nil after a key was added or removed
}

type object struct {
	data []byte
	etag string
	time time.Time
}

func (o object) info(key string) providers.Object {
	return providers.Object{Key: key, Size: int64(len(o.data)), ETag: o.etag, ModTime: o.time}
}

const pageSize = 1000

// start returns the later one of two positions. A prefix comes before
// all longer keys that start with it, in every order.
func (s *store) start(prefix, after string) string {
	if s.order.Before(prefix, after) {
		return after
	}
	return prefix
}

// page returns the next objects after a key, at most pageSize. A
// shorter page is the last one.
func (s *store) page(prefix, after string) []providers.Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		s.keys = make([]string, 0, len(s.objects))
		for key := range s.objects {
			s.keys = append(s.keys, key)
		}
		slices.SortFunc(s.keys, s.order.Compare)
	}
	from, found := slices.BinarySearchFunc(s.keys, s.start(prefix, after), s.order.Compare)
	if found && s.keys[from] == after {
		from++
	}
	var page []providers.Object
	for _, key := range s.keys[from:] {
		if len(page) == pageSize || !strings.HasPrefix(key, prefix) {
			break
		}
		page = append(page, s.objects[key].info(key))
	}
	return page
}

func (s *store) get(key string) (object, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, ok := s.objects[key]
	return o, ok
}

// put stores an object if the preconditions hold. It returns whether
// they did.
func (s *store) put(key string, o object, opts providers.WriteOptions) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, exists := s.objects[key]
	if opts.IfAbsent && exists || opts.IfMatch != "" && (!exists || old.etag != opts.IfMatch) {
		return false
	}
	s.objects[key] = o
	if !exists {
		s.keys = nil
	}
	return true
}

func (s *store) remove(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.objects[key]; exists {
		delete(s.objects, key)
		s.keys = nil
	}
}
