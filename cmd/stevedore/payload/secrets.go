package payload

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Named returns the variables that the secrets of a job name. A worker
// reads them from its own environment.
func Named(j tasks.Job) (names []string) {
	_, _ = tasks.MapSecrets(j, func(s tasks.Secret) (tasks.Secret, error) {
		if name, ok := strings.CutPrefix(s.Reference(), "env:"); ok {
			names = append(names, name)
		}
		return s, nil
	})
	return names
}

// Secrets decides how the payload holds the secrets of a storage that
// is given as a URL. The zero value keeps the references: the worker
// resolves them.
type Secrets struct {
	Send bool              // plain, for a producer that seals them
	Vars map[string]string // the environment
}

// fill returns a copy of a job with the secrets of the storages that
// were given as URLs, by their fields. Secrets that other flags name
// stay references.
func (s Secrets) fill(j tasks.Job, given map[string]tasks.Storage) (tasks.Job, error) {
	if !s.Send {
		return j, nil
	}
	return tasks.MapStorages(j, func(field string, st tasks.Storage) (tasks.Storage, error) {
		var known []tasks.Secret
		_, _ = given[field].MapSecrets(func(ref tasks.Secret) (tasks.Secret, error) {
			known = append(known, ref)
			return ref, nil
		})
		return st.MapSecrets(func(ref tasks.Secret) (tasks.Secret, error) {
			if !slices.Contains(known, ref) {
				return ref, nil
			}
			value, err := s.resolve(ref)
			return tasks.PlainSecret(value), err
		})
	})
}

func (s Secrets) resolve(ref tasks.Secret) (string, error) {
	name, isVariable := strings.CutPrefix(ref.Reference(), "env:")
	if !isVariable {
		return providers.Secrets{Any: true}.Resolve(ref)
	}
	value := strings.TrimSpace(s.Vars[name])
	if value == "" {
		return "", fmt.Errorf("%s is empty: there is nothing to seal", name)
	}
	return value, nil
}
