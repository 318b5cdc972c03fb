package tasks

import (
	"github.com/stevedore-jobs/stevedore/tasks/seal"
	"github.com/stevedore-jobs/stevedore/tasks/walk"
)

// Storages returns the connections that a job names, in the order of
// its fields.
func Storages(j Job) []Storage {
	found := walk.Find[Storage](walk.NewCopy(j))
	storages := make([]Storage, len(found))
	for i, s := range found {
		storages[i] = *s
	}
	return storages
}

// MapSecrets returns a copy of a job in which each secret that is given
// is replaced by what f returns for it. The job itself stays as it is.
// The error is the first one that f returns.
func MapSecrets(j Job, f func(Secret) (Secret, error)) (Job, error) {
	c := walk.NewCopy(j)
	if err := walk.Replace(c, f); err != nil {
		return nil, err
	}
	return c.Interface().(Job), nil
}

// MapStorages returns a copy of a job in which each storage is replaced
// by what f returns for it and the path of its field, for example
// "annotations.storage". The job itself stays as it is. The error is
// the first one that f returns.
func MapStorages(j Job, f func(field string, s Storage) (Storage, error)) (Job, error) {
	c := walk.NewCopy(j)
	if err := walk.ReplaceNamed(c, f); err != nil {
		return nil, err
	}
	return c.Interface().(Job), nil
}

// SealSecrets returns a copy of a job whose plain secrets are sealed to
// the public key of the workers: each for the job, its tenant, and the
// storage that holds it. Secrets of another form stay. The job's ID and
// kind must be those that it is enqueued with.
func SealSecrets(j Job, id string, to seal.PublicKey) (Job, error) {
	bound := seal.Binding{Job: id, Kind: j.Kind(), Tenant: j.JobTerms().Tenant}
	sealed, err := MapStorages(j, func(_ string, s Storage) (Storage, error) {
		inside := bound
		inside.Destination = s.Destination()
		return s.MapSecrets(func(secret Secret) (Secret, error) {
			return secret.Seal(to, inside)
		})
	})
	if err != nil {
		return nil, err
	}
	return MapSecrets(sealed, func(secret Secret) (Secret, error) {
		return secret.Seal(to, bound)
	})
}

// WithTerms returns a copy of a job with other terms.
func WithTerms(j Job, t Terms) Job {
	c := walk.NewCopy(j)
	for _, terms := range walk.Find[Terms](c) {
		*terms = t
	}
	return c.Interface().(Job)
}

// withoutTexts returns a copy of a job whose storages have no texts for
// people.
func withoutTexts(j Job) Job {
	c := walk.NewCopy(j)
	for _, s := range walk.Find[Storage](c) {
		*s = s.WithoutTexts()
	}
	return c.Interface().(Job)
}
