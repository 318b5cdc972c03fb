package azure_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
)

// refusal is an error as Azure reports it. Azurite reports many faults
// differently, and it has no firewall, no archive and no key vault.
type refusal struct {
	status  int
	code    string
	message string
	detail  string // AuthenticationErrorDetail
}

const requestID = "2c25ad7c-a01e-0004-04a3-56c77b000000"

func (f refusal) answer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Ms-Request-Id", requestID)
	w.Header().Set("X-Ms-Error-Code", f.code)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(f.status)
	if r.Method == http.MethodHead {
		return
	}
	detail := ""
	if f.detail != "" {
		detail = "<AuthenticationErrorDetail>" + f.detail + "</AuthenticationErrorDetail>"
	}
	_, _ = fmt.Fprintf(w, "\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code><Message>%s\nRequestId:%s\nTime:2030-01-01T00:00:00.0000000Z</Message>%s</Error>",
		f.code, f.message, requestID, detail)
}

// The requests that a gate can stop.
func all(*http.Request) bool       { return true }
func lists(r *http.Request) bool   { return r.URL.Query().Get("comp") == "list" }
func reads(r *http.Request) bool   { return r.Method == http.MethodGet && !lists(r) }
func writes(r *http.Request) bool  { return r.Method == http.MethodPut }
func history(r *http.Request) bool { return strings.Contains(r.URL.Query().Get("include"), "versions") }

// gate starts a proxy of Azurite and returns its endpoint. The proxy
// answers the requests for which stops returns true, as Azure would.
func gate(t testing.TB, server servers.AzureServer, stops func(*http.Request) bool, answer http.HandlerFunc) string {
	t.Helper()
	to, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: to.Scheme, Host: to.Host})
	g := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if stops(r) {
			answer(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g.URL + "/" + server.Account
}

// serve starts a server with a handler and returns its endpoint.
func serve(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL + "/devstoreaccount1"
}
