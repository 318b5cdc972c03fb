package setting_test

import (
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// Advice reads as text as it is, and with the names of any program.
func TestName(t *testing.T) {
	t.Parallel()
	fix := "Add 10.0.0.1/32 to " + setting.EgressAllow.String() + ", or raise " + setting.PartsBudget.String() + "."
	if want := "Add 10.0.0.1/32 to the setting egress-allow, or raise the setting parts-budget."; fix != want {
		t.Errorf("the text is %q, want %q", fix, want)
	}
	upper := func(id setting.ID) string { return strings.ToUpper(string(id)) }
	if got, want := setting.Name(fix, upper), "Add 10.0.0.1/32 to EGRESS-ALLOW, or raise PARTS-BUDGET."; got != want {
		t.Errorf("with names the text is %q, want %q", got, want)
	}
	if got := setting.Name(fix, nil); got != fix {
		t.Errorf("without names the text is %q, want it unchanged", got)
	}
}

func TestNoSettingBeginsLikeAnother(t *testing.T) {
	t.Parallel()
	for _, a := range setting.All() {
		for _, b := range setting.All() {
			if a != b && strings.HasPrefix(string(b), string(a)) {
				t.Errorf("%q begins with %q: Name could take it for that", b, a)
			}
		}
	}
}
