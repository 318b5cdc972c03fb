package azure

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/order"
	"github.com/stevedore-jobs/stevedore/deploy/emulators/web"
)

// Gates starts gates.
type Gates struct {
	start func(server, string) (string, error)
}

// NewGates returns the control of gates. They are served until ctx
// ends.
func NewGates(ctx context.Context) Gates {
	return Gates{start: func(s server, name string) (string, error) {
		compare, err := order.Named(name)
		if err != nil {
			return "", err
		}
		g := &gate{
			server: s, compare: compare, directories: strings.HasPrefix(name, "directories"),
		}
		return g.serve(ctx)
	}}
}

// Register adds the control of gates:
//
//	POST /azure/gates/ORDER   starts a gate in front of the account that the body describes
//	                          (endpoint, account, key); answers its endpoint
func (g Gates) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /azure/gates/{order}", func(w http.ResponseWriter, r *http.Request) {
		var s server
		err := json.NewDecoder(r.Body).Decode(&s)
		endpoint := ""
		if err == nil {
			endpoint, err = g.start(s, r.PathValue("order"))
		}
		web.Answer(w, map[string]string{"endpoint": endpoint}, err)
	})
}
