package gcs_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/gcs"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
)

// A panic in the SDK's goroutine that sends an upload does not end the
// process.
func TestPut_PanicsInTheCallersGoroutine(t *testing.T) {
	t.Parallel()
	const session = "https://storage.googleapis.com/upload/session"
	startsSession := func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", session) }
	for name, c := range map[string]struct {
		size int64
		at   func(*http.Request) bool
	}{
		"OneRequest":   {100, func(r *http.Request) bool { return r.Method == http.MethodPost }},
		"FirstRequest": {20 << 20, func(r *http.Request) bool { return r.Method == http.MethodPost }},
		"Chunk":        {20 << 20, func(r *http.Request) bool { return strings.HasPrefix(r.URL.String(), session) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &gcs.Opener{Client: providertest.PanicAt(c.at, startsSession)}
			providertest.RunPanic(t, open(t, o, anonymous("", "b"), providers.Secrets{}), c.size)
		})
	}
}
