// Package firstread decides how many bytes of an image to read first.
// It learns from the heads that were read before: the heads of one
// bucket are much alike, because few cameras and programs wrote them.
package firstread

import "sync"

const (
	// requestCost is how many bytes one more request is worth: it takes
	// a round trip, and processor time for about so many.
	requestCost = 36 << 10
	// nextRead is how many bytes a second read fetches.
	nextRead = 4 << 10
	// step is the unit of sizes; maxSize is the largest first read.
	step    = 2 << 10
	maxSize = 64 << 10
	// minHeads is how many heads must be known before a size changes;
	// the size is computed anew after as many more.
	minHeads = 16
	// probeEvery is how often the first read is of the normal size.
	probeEvery = 32
	// maxNames bounds the memory: further extensions keep the normal
	// size.
	maxNames = 64
)

// Sizes knows the sizes for some images of one bucket, by the extension
// of their names. The zero value is ready. It is safe for concurrent
// use.
type Sizes struct {
	mu     sync.Mutex
	byName map[string]*needs
}

// needs counts heads by how many steps from the start contain them. The
// last count is of heads that need more than maxSize.
type needs struct {
	counts [maxSize/step + 1]int
	heads  int
	asked  int   // calls of Get since best is set
	best   int64 // 0 until enough heads are known
}

// Get returns how many bytes to read first of an image with an
// extension: normal until enough heads are known, and never less. Now
// and then it is normal again, because only such a read shows whether a
// small one is enough.
func (s *Sizes) Get(extension string, normal int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.byName[extension]
	if n == nil || n.best <= normal {
		return normal
	}
	if n.asked++; n.asked%probeEvery == 0 {
		return normal
	}
	return n.best
}

// Learn notes that a head was within the first need bytes of an image,
// whose first read was of normal bytes. A larger first read does not
// show what the head needs: the caller must not call Learn then.
func (s *Sizes) Learn(extension string, normal, need int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.byName[extension]
	if n == nil {
		if len(s.byName) >= maxNames {
			return
		}
		if s.byName == nil {
			s.byName = map[string]*needs{}
		}
		n = new(needs)
		s.byName[extension] = n
	}
	steps := (max(need, 0) + step - 1) / step
	n.counts[min(steps, maxSize/step)]++
	if n.heads++; n.heads%minHeads == 0 {
		n.best = n.cheapest(normal)
	}
}

// cheapest returns the size from normal on with the least cost: its
// bytes, and one more read for each head that needs more.
func (n *needs) cheapest(normal int64) int64 {
	within, best, least := 0, normal, int64(-1)
	for i, count := range n.counts[:maxSize/step] {
		within += count
		size := int64(i) * step
		if size < normal {
			continue
		}
		more := int64(n.heads - within)
		cost := size*int64(n.heads) + more*(requestCost+nextRead)
		if least < 0 || cost < least {
			best, least = size, cost
		}
	}
	return best
}

// maxJobs is of how many jobs a Jobs remembers the sizes.
const maxJobs = 64

// Jobs remembers the sizes for the jobs of a process. The zero value is
// ready. It is safe for concurrent use.
type Jobs struct {
	mu     sync.Mutex
	sizes  map[string]*Sizes
	oldest []string // IDs, oldest first
}

// Of returns the sizes of the job with an ID. What is known of a job is
// forgotten when many others have begun since.
func (j *Jobs) Of(id string) *Sizes {
	j.mu.Lock()
	defer j.mu.Unlock()
	if s := j.sizes[id]; s != nil {
		return s
	}
	if j.sizes == nil {
		j.sizes = map[string]*Sizes{}
	}
	if len(j.oldest) >= maxJobs {
		delete(j.sizes, j.oldest[0])
		j.oldest = j.oldest[1:]
	}
	s := new(Sizes)
	j.sizes[id], j.oldest = s, append(j.oldest, id)
	return s
}
