package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

// publicKey reads STEVEDORE_PUBLIC_KEY, which may be empty.
func publicKey(text string) (seal.PublicKey, error) {
	if text == "" {
		return seal.PublicKey{}, nil
	}
	k, err := seal.ParsePublicKey(text)
	if err != nil {
		return k, fmt.Errorf("STEVEDORE_PUBLIC_KEY: %w", err)
	}
	return k, nil
}

// keyRing reads the private keys that STEVEDORE_PRIVATE_KEYS names, each by
// its file or by its variable, env:NAME. It reports all that is wrong with
// them at once.
func keyRing(sources []string, vars map[string]string) (seal.Ring, error) {
	var keys []seal.PrivateKey
	var faults []error
	for _, source := range sources {
		k, err := privateKey(strings.TrimSpace(source), vars)
		if err != nil {
			faults = append(faults, invalid(fmt.Errorf("STEVEDORE_PRIVATE_KEYS: %w", err)))
			continue
		}
		keys = append(keys, k)
	}
	return seal.NewRing(keys...), errors.Join(faults...)
}

func privateKey(source string, vars map[string]string) (seal.PrivateKey, error) {
	if seal.IsPrivateKey(source) {
		return seal.PrivateKey{}, errors.New("names files or env:NAME, and must not hold a key itself")
	}
	name, isVariable := strings.CutPrefix(source, "env:")
	text := vars[name]
	if !isVariable {
		data, err := os.ReadFile(source)
		if err != nil {
			return seal.PrivateKey{}, err
		}
		text = string(data)
	}
	k, err := seal.ParsePrivateKey(text)
	if err != nil {
		return k, fmt.Errorf("%s: %w", source, err)
	}
	return k, nil
}

// keepReferences leaves it to the worker to find the secrets.
func keepReferences(s tasks.Storage) (tasks.Storage, error) { return s, nil }

// sealer finds here the secrets that a storage refers to, and seals them for
// one job.
type sealer struct {
	key  seal.PublicKey
	job  seal.Binding
	vars map[string]string
}

func (s sealer) storage(st tasks.Storage) (tasks.Storage, error) {
	return st.MapSecrets(func(ref tasks.Secret) (tasks.Secret, error) {
		value, err := s.find(ref)
		if err != nil {
			return ref, err
		}
		return tasks.PlainSecret(value).Seal(s.key, s.job)
	})
}

func (s sealer) find(ref tasks.Secret) (string, error) {
	name, isVariable := strings.CutPrefix(ref.Reference(), "env:")
	if !isVariable {
		return providers.Secrets{Any: true}.Resolve(ref)
	}
	value := strings.TrimSpace(s.vars[name])
	if value == "" {
		return "", fmt.Errorf("%s is empty: there is nothing to seal", name)
	}
	return value, nil
}
