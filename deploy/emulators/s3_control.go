package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
)

// register adds the control of faults:
//
//	POST   /s3/faults       makes a fault of the JSON of s3Fault; the answer is its ID
//	GET    /s3/faults/ID    how often it has happened
//	DELETE /s3/faults/ID
func (g *s3Gate) register(mux *http.ServeMux) {
	mux.HandleFunc("POST /s3/faults", g.addFault)
	mux.HandleFunc("GET /s3/faults/{id}", g.countFault)
	mux.HandleFunc("DELETE /s3/faults/{id}", g.removeFault)
}

func (g *s3Gate) addFault(w http.ResponseWriter, r *http.Request) {
	f := &s3Fault{}
	err := json.NewDecoder(r.Body).Decode(f)
	if err == nil {
		err = f.check()
	}
	if err == nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.made++
		f.id = g.made
		g.faults = append(g.faults, f)
	}
	answer(w, map[string]string{"id": strconv.Itoa(f.id)}, err)
}

func (g *s3Gate) countFault(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if at := g.find(r); at >= 0 {
		answer(w, map[string]int{"happened": g.faults[at].happened}, nil)
		return
	}
	http.NotFound(w, r)
}

func (g *s3Gate) removeFault(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if at := g.find(r); at >= 0 {
		g.faults = slices.Delete(g.faults, at, at+1)
	}
	answer(w, struct{}{}, nil)
}

// find is where the fault is that a request names; below 0 when there is
// none.
func (g *s3Gate) find(r *http.Request) int {
	id, err := strconv.Atoi(r.PathValue("id"))
	return slices.IndexFunc(g.faults, func(f *s3Fault) bool { return err == nil && f.id == id })
}
