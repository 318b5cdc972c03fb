package payload

import (
	"fmt"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

// KeepReferences leaves the secrets of a storage where they are: the
// worker resolves the references.
func KeepReferences(s tasks.Storage) (tasks.Storage, error) { return s, nil }

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

// Sealer resolves the references of a storage in this process, and
// seals their secrets for one job.
type Sealer struct {
	Key  seal.PublicKey
	Job  seal.Binding
	Vars map[string]string // the environment
}

// Storage returns a copy of a storage with sealed secrets.
func (s Sealer) Storage(st tasks.Storage) (tasks.Storage, error) {
	return st.MapSecrets(func(ref tasks.Secret) (tasks.Secret, error) {
		value, err := s.resolve(ref)
		if err != nil {
			return ref, err
		}
		return tasks.PlainSecret(value).Seal(s.Key, s.Job)
	})
}

func (s Sealer) resolve(ref tasks.Secret) (string, error) {
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
