package providertest

import (
	"net/http"
	"net/http/httptest"
)

// Client makes a client whose requests are all answered by a handler,
// without a network and to whatever host they go.
func Client(handler http.Handler) *http.Client {
	return &http.Client{Transport: handlerTransport{handler}}
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
