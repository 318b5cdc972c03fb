package job

import (
	"errors"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

// panickingPayload is a payload whose own code panics.
type panickingPayload struct{ tasks.Terms }

func (panickingPayload) Kind() string    { return "panics" }
func (panickingPayload) Validate() error { panic("boom") }

type panickingResult struct{}

func (panickingResult) Kind() string    { return "panics" }
func (panickingResult) Summary() string { return "" }

// Shards decode the payload too, so a payload whose code panics must not
// end the worker in any of its goroutines.
func TestDecodeValid_PayloadPanics(t *testing.T) {
	t.Parallel()
	k := Kind{Kind: tasks.NewKind[panickingPayload, panickingResult](tasks.Policy{
		Queue: tasks.QueueJobs, Timeout: time.Hour, Attempts: 1, Keep: time.Hour,
	})}
	if _, err := k.DecodeValid([]byte("{}")); !errors.Is(err, guard.ErrPanic) {
		t.Errorf("got %v", err)
	}
}

// Text that cannot be decoded is the caller's fault, and the error says
// where it is wrong.
func TestDecodeValid_NotJSON(t *testing.T) {
	t.Parallel()
	kind, err := tasks.Lookup("build-manifest")
	if err != nil {
		t.Fatal(err)
	}
	j, err := Kind{Kind: kind}.DecodeValid([]byte("not JSON"))
	var invalid *tasks.InvalidError
	if j != nil || !errors.As(err, &invalid) || err.Error() != "build-manifest payload: is not JSON: line 1, column 2: invalid character 'o' in literal null (expecting 'u')" {
		t.Errorf("got %v, %v", j, err)
	}
}
