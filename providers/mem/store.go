package mem

import (
	"maps"
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
	keys    []string // of objects, in order; nil after one was removed
	added   []string // keys that are not in keys yet
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
	s.sortKeys()
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

// sortKeys brings keys up to date. New keys are merged into the others:
// a job that writes and lists in turns does not sort all of them again
// and again.
func (s *store) sortKeys() {
	if s.keys == nil {
		s.keys = make([]string, 0, len(s.objects))
		s.added = slices.Collect(maps.Keys(s.objects))
	}
	if len(s.added) == 0 {
		return
	}
	slices.SortFunc(s.added, s.order.Compare)
	old := s.keys
	s.keys = make([]string, 0, len(old)+len(s.added))
	for _, key := range s.added {
		n, _ := slices.BinarySearchFunc(old, key, s.order.Compare)
		s.keys = append(append(s.keys, old[:n]...), key)
		old = old[n:]
	}
	s.keys = append(s.keys, old...)
	s.added = nil
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
		s.added = append(s.added, key)
	}
	return true
}

func (s *store) remove(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.objects[key]; exists {
		delete(s.objects, key)
		s.keys, s.added = nil, nil
	}
}
