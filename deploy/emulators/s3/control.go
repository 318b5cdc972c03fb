package s3

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/web"
)

// Register adds the control of faults and of orders:
//
//	POST   /s3/faults      makes a fault, from its JSON; answers its ID
//	GET    /s3/faults/ID   answers how often it has happened
//	DELETE /s3/faults/ID
//	POST   /s3/orders/BUCKET/ORDER   lists the bucket in an order of order.Named
func (g *Gate) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /s3/faults", g.addFault)
	mux.HandleFunc("GET /s3/faults/{id}", g.countFault)
	mux.HandleFunc("DELETE /s3/faults/{id}", g.removeFault)
	mux.HandleFunc("POST /s3/orders/{bucket}/{order}", g.orders.set)
}

func (g *Gate) addFault(w http.ResponseWriter, r *http.Request) {
	f := &fault{}
	err := json.NewDecoder(r.Body).Decode(f)
	if err == nil {
		err = f.check()
	}
	if err == nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.lastID++
		f.id = g.lastID
		g.faults = append(g.faults, f)
	}
	web.Answer(w, map[string]string{"id": strconv.Itoa(f.id)}, err)
}

func (g *Gate) countFault(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if at := g.find(r); at >= 0 {
		web.Answer(w, map[string]int{"happened": g.faults[at].happened}, nil)
		return
	}
	http.NotFound(w, r)
}

func (g *Gate) removeFault(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if at := g.find(r); at >= 0 {
		g.faults = slices.Delete(g.faults, at, at+1)
	}
	web.Answer(w, struct{}{}, nil)
}

// find returns the index of the fault that a request names, or -1.
// The caller holds the lock.
func (g *Gate) find(r *http.Request) int {
	id, err := strconv.Atoi(r.PathValue("id"))
	return slices.IndexFunc(g.faults, func(f *fault) bool { return err == nil && f.id == id })
}
