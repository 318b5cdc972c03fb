package settings

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers/allowlist"
	"github.com/stevedore-jobs/stevedore/tasks/fields"
)

// free matches names that look like settings and are not: secrets, and
// what tests and benchmarks read.
var free = regexp.MustCompile(`^` + prefix + `(SECRET|TEST|BENCH|CHAOS)(_|$)`)

// kubernetes matches the variables that Kubernetes sets in every
// container for a service of the name "stevedore".
var kubernetes = regexp.MustCompile(`^` + prefix + `(\w+_)?(SERVICE_HOST|SERVICE_PORT\w*|PORT(_\d\w*)?)$`)

// unknown returns a warning for each variable that has the prefix of
// settings but is not one, or is one by its former name.
func unknown(vars map[string]string, secrets []string) []string {
	known := Variables()
	_, inKubernetes := vars["KUBERNETES_SERVICE_HOST"]
	var warnings []string
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		named := func(v Variable) bool { return v.Name == name }
		formerly := func(v Variable) bool { return v.Former == name }
		isSetting := slices.ContainsFunc(known, named)
		was := slices.IndexFunc(known, formerly)
		switch {
		case !strings.HasPrefix(name, prefix), isSetting, free.MatchString(name):
		case was >= 0:
			warnings = append(warnings, fmt.Sprintf(
				"%s is now called %s: the old name still works", name, known[was].Name))
		case inKubernetes && kubernetes.MatchString(name), isSecret(name, vars, secrets):
		default:
			text := fmt.Sprintf("%s is not a setting%s", name, suggestion(name, known))
			warnings = append(warnings, text)
		}
	}
	return warnings
}

// isSecret reports whether other settings refer to the variable.
func isSecret(name string, vars map[string]string, secrets []string) bool {
	for _, pattern := range append(secrets, items(vars[prefix+"PRIVATE_KEYS"])...) {
		pattern = strings.ReplaceAll(pattern, allowlist.Tenant, "*")
		if ok, _ := path.Match(pattern, "env:"+name); ok {
			return true
		}
	}
	return false
}

// suggestion names the setting that is spelled most like a name.
func suggestion(name string, known []Variable) string {
	names := make([]string, len(known))
	for i, v := range known {
		names[i] = strings.TrimPrefix(v.Name, prefix)
	}
	near := fields.Nearest(strings.TrimPrefix(name, prefix), names)
	if near == "" {
		return ", and is ignored"
	}
	return fmt.Sprintf(", and is ignored: do you mean %s?", prefix+near)
}

// Variable is a setting as documentation shows it.
type Variable struct {
	Name    string
	Default string // empty when there is no default, or when it depends on the machine
	Former  string // an earlier name, which still works; may be empty
}

// Variables returns all settings in a fixed order.
func Variables() []Variable {
	var list []Variable
	for _, v := range variables(new(Settings), nil) {
		if v.machine {
			v.fallback = ""
		}
		known := Variable{Name: prefix + v.name, Default: v.fallback}
		if v.former != "" {
			known.Former = prefix + v.former
		}
		list = append(list, known)
	}
	return list
}
