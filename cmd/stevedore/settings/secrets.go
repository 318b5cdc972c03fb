package settings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers/allowlist"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// patterns reads the secrets that payloads may refer to.
func patterns(into *[]string) reader {
	return func(value string) error {
		*into = items(value)
		for _, text := range *into {
			if _, err := allowlist.Parse(text); err != nil {
				return fmt.Errorf("%q %w", text, err)
			}
		}
		return nil
	}
}

// WarnOfSharedSecrets returns a warning for the log of a worker if
// payloads of every tenant may name the same secrets, or nothing.
func (s Settings) WarnOfSharedSecrets() string {
	shared := slices.DeleteFunc(slices.Clone(s.SecretsAllow), func(text string) bool {
		p, _ := allowlist.Parse(text)
		return p.HasTenant()
	})
	if len(shared) == 0 {
		return ""
	}
	return fmt.Sprintf("%s: every payload may name the secrets %s and send them to an endpoint "+
		"of its own; if not all who enqueue jobs trust each other, put %s into each pattern, "+
		"for example file:/run/secrets/%[3]s/*",
		Name(setting.SecretsAllow), strings.Join(shared, ", "), allowlist.Tenant)
}
