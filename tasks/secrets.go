package tasks

import (
	"bytes"
	"encoding/json"
)

// MapSecrets is a copy of a job in which each secret there is has been
// replaced by what f makes of it. The job itself is left alone. The error is
// the first one of f's.
func MapSecrets(j Job, f func(Secret) (Secret, error)) (Job, error) {
	m := &secretMap{replace: f}
	mapped := j.mapSecrets(m)
	if m.err != nil {
		return nil, m.err
	}
	return mapped, nil
}

// MapSecrets is a copy of a storage, as the function of that name makes one
// of a job.
func (s Storage) MapSecrets(f func(Secret) (Secret, error)) (Storage, error) {
	m := &secretMap{replace: f}
	m.storage(&s)
	return s, m.err
}

// secretMap replaces secrets, and keeps the first error.
type secretMap struct {
	replace  func(Secret) (Secret, error)
	err      error
	storages []Storage // seen
}

// storage replaces the secrets of a storage, which must be the caller's own
// copy.
func (m *secretMap) storage(s *Storage) {
	m.storages = append(m.storages, *s)
	for _, field := range s.Auth.fields() {
		if field.secret == nil || field.secret.IsZero() || m.err != nil {
			continue
		}
		*field.secret, m.err = m.replace(*field.secret)
	}
}

// optional copies a storage that may be absent, and replaces the copy's
// secrets.
func (m *secretMap) optional(s **Storage) {
	if *s == nil {
		return
	}
	*s = new(**s)
	m.storage(*s)
}

// Storages are the connections that a job names, in no particular order.
func Storages(j Job) []Storage {
	m := &secretMap{replace: func(s Secret) (Secret, error) { return s, nil }}
	j.mapSecrets(m)
	return m.storages
}

// Same reports whether two payloads of this kind ask for the same job. What a
// sealed secret holds cannot be compared, since the same value is another
// text each time it is sealed: two sealed secrets count as the same. A
// reference is the same as itself alone.
func (k Kind) Same(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	blankA, errA := k.blank(a)
	blankB, errB := k.blank(b)
	return errA == nil && errB == nil && bytes.Equal(blankA, blankB)
}

// blank is a payload in one form, without what its secrets are sealed to.
func (k Kind) blank(payload []byte) ([]byte, error) {
	j, err := k.Decode(payload)
	if err != nil {
		return nil, err
	}
	j, err = MapSecrets(j, func(s Secret) (Secret, error) {
		if s.Sealed() != "" {
			return Secret{text: "sealed"}, nil
		}
		return s, nil
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(j)
}
