package tasks_test

import (
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// A Fix that was stored with the identifiers of settings reads as text, and
// can be given the names of any program.
func TestNameSettings(t *testing.T) {
	t.Parallel()
	fix := "Add 10.0.0.1/32 to " + tasks.SettingEgressAllow.String() + ", or raise " + tasks.SettingPartsBudget.String() + "."
	if want := "Add 10.0.0.1/32 to the setting egress-allow, or raise the setting parts-budget."; fix != want {
		t.Errorf("the text is %q, want %q", fix, want)
	}
	upper := func(s tasks.Setting) string { return strings.ToUpper(string(s)) }
	if got, want := tasks.NameSettings(fix, upper), "Add 10.0.0.1/32 to EGRESS-ALLOW, or raise PARTS-BUDGET."; got != want {
		t.Errorf("with names the text is %q, want %q", got, want)
	}
	if got := tasks.NameSettings(fix, nil); got != fix {
		t.Errorf("without names the text is %q, want it unchanged", got)
	}
}

func TestNoSettingBeginsLikeAnother(t *testing.T) {
	t.Parallel()
	for _, a := range tasks.Settings() {
		for _, b := range tasks.Settings() {
			if a != b && strings.HasPrefix(string(b), string(a)) {
				t.Errorf("%q begins with %q: it would be replaced by its name", b, a)
			}
		}
	}
}
