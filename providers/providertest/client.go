package providertest

import (
	"net/http"
	"net/http/httptest"

	"github.com/stevedore-jobs/stevedore/providers/limits"
)

// Client makes a client whose requests are all answered by a handler,
// without a network and to whatever host they go. Like the client of a
// worker it keeps to the limits of package limits.
func Client(handler http.Handler) *http.Client {
	return &http.Client{Transport: limits.Transport(handlerTransport{handler})}
}

type handlerTransport struct{ handler http.Handler }

func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r.Body == nil { // a server's request always has one
		r = r.Clone(r.Context())
		r.Body = http.NoBody
	}
	t.handler.ServeHTTP(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}
