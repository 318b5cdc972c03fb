package sts

import "testing"

func TestRoleSpec_Trusts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spec       roleSpec
		externalID string
		want       bool
	}{
		"nobody":             {roleSpec{}, "", false},
		"a principal":        {roleSpec{Principals: []string{"AKIA"}}, "", true},
		"another principal":  {roleSpec{Principals: []string{"AKIB"}}, "", false},
		"an external ID":     {roleSpec{Principals: []string{"AKIA"}, ExternalID: "42"}, "42", true},
		"no external ID":     {roleSpec{Principals: []string{"AKIA"}, ExternalID: "42"}, "", false},
		"one that is unused": {roleSpec{Principals: []string{"AKIA"}}, "42", true},
	} {
		if got := c.spec.trusts("AKIA", c.externalID); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
