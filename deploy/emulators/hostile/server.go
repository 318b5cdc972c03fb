// Package hostile serves the APIs of S3, Google Cloud Storage and
// Azure Blob Storage, and does something wrong on purpose. The name of
// a bucket says what: "list-endless-key-1" answers listings with a key
// that does not end. All buckets hold the same few objects. Every
// request that is not meant gets the right answer.
//
// table.go lists what can be wrong. To add a behaviour, add its line.
package hostile

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/hostile/tongue"
	"github.com/stevedore-jobs/stevedore/deploy/emulators/web"
)

// Server serves each API at an address of its own.
type Server struct {
	endpoints  map[string]string // by the name of the API
	store      *store
	behaviours map[string]behaviour
	hits       sync.Map // bucket -> *atomic.Int64
}

// Start serves until ctx ends.
func Start(ctx context.Context) (*Server, error) {
	s := &Server{
		endpoints: map[string]string{}, store: newStore(), behaviours: map[string]behaviour{},
	}
	for _, b := range table() {
		s.behaviours[b.name] = b
	}
	for name, t := range tongue.Named() {
		url, err := web.Serve(ctx, api{s, t})
		if err != nil {
			return nil, err
		}
		s.endpoints[name] = url
	}
	return s, nil
}

// Register adds the control:
//
//	GET /hostile               answers endpoints and behaviours
//	GET /hostile/hits/BUCKET   answers how often a bucket did something wrong
func (s *Server) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /hostile", s.describe)
	mux.HandleFunc("GET /hostile/hits/{bucket}", func(w http.ResponseWriter, r *http.Request) {
		web.Answer(w, map[string]int64{"hits": s.hitsOf(r.PathValue("bucket")).Load()}, nil)
	})
}

// description is a behaviour, as the control tells it.
type description struct {
	Name       string      `json:"name"`
	Does       string      `json:"does"`
	Operations []tongue.Op `json:"operations"`
}

func (s *Server) describe(w http.ResponseWriter, _ *http.Request) {
	var all []description
	for _, b := range table() {
		all = append(all, description{b.name, b.does, b.ops})
	}
	web.Answer(w, map[string]any{"endpoints": s.endpoints, "behaviours": all}, nil)
}

// api serves one API.
type api struct {
	*Server
	tongue tongue.Tongue
}

// ServeHTTP implements http.Handler.
func (a api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchange{Tongue: a.tongue, call: a.tongue.Parse(r), w: w, r: r}
	wanted := parseName(x.call.Bucket)
	b := a.behaviours[wanted.behaviour]
	replaced := wanted.contentIn(a.store, b)
	x.right = sync.OnceValue(func() tongue.Answer { return a.store.answer(x, replaced) })
	x.count = a.hitsOf(x.call.Bucket).Load
	isMeant := wanted.op == x.call.Op
	if isMeant || replaced != nil && x.call.Op == tongue.Get && replaced(x.call.Key) != nil {
		a.hitsOf(x.call.Bucket).Add(1)
	}
	if isMeant && b.do != nil && slices.Contains(b.ops, wanted.op) {
		b.do(x)
		return
	}
	x.send(x.right())
}

func (s *Server) hitsOf(bucket string) *atomic.Int64 {
	n, _ := s.hits.LoadOrStore(bucket, new(atomic.Int64))
	return n.(*atomic.Int64)
}
