package setting_test

import (
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// Advice reads as text as it is, and with the names of any program.
func TestName(t *testing.T) {
	t.Parallel()
	fix := "Add 10.0.0.1/32 to " + setting.EgressAllow.String() + ", or raise " + setting.RedisBudget.String() + "."
	if want := "Add 10.0.0.1/32 to the setting egress-allow, or raise the setting redis-budget."; fix != want {
		t.Errorf("the text is %q, want %q", fix, want)
	}
	upper := func(id setting.ID) string { return strings.ToUpper(string(id)) }
	if got, want := setting.Name(fix, upper), "Add 10.0.0.1/32 to EGRESS-ALLOW, or raise REDIS-BUDGET."; got != want {
		t.Errorf("with names the text is %q, want %q", got, want)
	}
	if got := setting.Name(fix, nil); got != fix {
		t.Errorf("without names the text is %q, want it unchanged", got)
	}
}

// A text that only begins like a setting is something else.
func TestNameTakesWholeIdentifiers(t *testing.T) {
	t.Parallel()
	text := "the setting parallelism, the setting parallel-reads, the setting parallel."
	want := "the setting parallelism, the setting parallel-reads, NAME."
	if got := setting.Name(text, func(setting.ID) string { return "NAME" }); got != want {
		t.Errorf("the text is %q, want %q", got, want)
	}
	for _, id := range setting.All() {
		if got := setting.Name(id.String(), func(id setting.ID) string { return string(id) }); got != string(id) {
			t.Errorf("%q is not found, the text is %q", id, got)
		}
	}
}
