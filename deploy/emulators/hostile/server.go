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
	endpoints    map[string]string // by the name of the API
	store        *store
	behaviours   map[string]behaviour
	replacements map[string]replacement
	hits         sync.Map // bucket -> *atomic.Int64
}

// Start serves until ctx ends.
func Start(ctx context.Context) (*Server, error) {
	s := &Server{
		endpoints: map[string]string{}, store: newStore(),
		behaviours: map[string]behaviour{}, replacements: map[string]replacement{},
	}
	for _, b := range behaviours() {
		s.behaviours[b.name] = b
	}
	for _, r := range replacements() {
		s.replacements[r.name] = r
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
	Name       string     `json:"name"`
	Does       string     `json:"does"`
	Operations operations `json:"operations"`
}

func (s *Server) describe(w http.ResponseWriter, _ *http.Request) {
	var all []description
	for _, b := range behaviours() {
		all = append(all, description{b.name, b.does, b.ops})
	}
	for _, r := range replacements() {
		all = append(all, description{r.name, r.does, operations{r.op}})
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
	wanted, hits := parseName(x.call.Bucket), a.hitsOf(x.call.Bucket)
	x.count = hits.Load
	wrong := a.replacements[wanted.behaviour]
	if wrong.op != wanted.op {
		wrong = replacement{}
	}
	x.right = sync.OnceValue(func() tongue.Answer { return a.store.answer(x, wrong) })
	if x.call.Op == tongue.Get && wrong.replaces(x.call.Key) {
		hits.Add(1)
	}
	b := a.behaviours[wanted.behaviour]
	if wanted.op != x.call.Op || !slices.Contains(b.ops, wanted.op) {
		x.send(x.right())
		return
	}
	hits.Add(1)
	b.do(x)
}

func (s *Server) hitsOf(bucket string) *atomic.Int64 {
	n, _ := s.hits.LoadOrStore(bucket, new(atomic.Int64))
	return n.(*atomic.Int64)
}
