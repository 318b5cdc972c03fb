package providers_test

import (
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

// What a status means decides whether a job waits, tries again or
// ends.
func TestKindOfStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]providers.Kind{
		200: providers.Invalid, 301: providers.Invalid, 304: providers.Conflict, 400: providers.Invalid, 401: providers.Unauthenticated,
		403: providers.Denied, 404: providers.NotFound, 408: providers.Unavailable, 409: providers.Conflict, 410: providers.NotFound,
		412: providers.Conflict, 416: providers.Invalid, 429: providers.Throttled, 500: providers.Unavailable, 502: providers.Unavailable,
		503: providers.Throttled, 504: providers.Unavailable, 507: providers.Unavailable,
	} {
		if got := providers.KindOfStatus(status); got != want {
			t.Errorf("%d is %s, want %s", status, got, want)
		}
	}
}
