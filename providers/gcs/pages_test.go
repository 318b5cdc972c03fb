package gcs_test

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// A check ends when the server sends empty pages without end, with the
// same token or with a new one each time.
func TestProbe_EmptyPages(t *testing.T) {
	t.Parallel()
	for token, most := range map[string]int64{"same": 8, "new%d": 4010} {
		var requests atomic.Int64
		b := openAt(t, func(w http.ResponseWriter, _ *http.Request) {
			n := requests.Add(1)
			next := token
			if token != "same" {
				next = fmt.Sprintf(token, n)
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"kind":"storage#objects","nextPageToken":"`+next+`"}`)
		})
		for _, c := range providers.Probe(t.Context(), b, tasks.Need{Versions: true}) {
			if c.ID == tasks.CheckIDList && (c.Status != tasks.CheckFail || c.Code != "EndlessListing") {
				t.Errorf("%s: %+v", token, c)
			}
		}
		if requests.Load() > most {
			t.Errorf("%s: %d requests", token, requests.Load())
		}
	}
}
