package seal

import (
	"crypto/hpke"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Ring is the private keys that a worker has, by their IDs. To change keys,
// give the workers the new one beside the old one, then the producers the new
// public key, and take the old one away when its jobs have ended. The zero
// Ring is empty.
type Ring struct{ keys map[string]PrivateKey }

// NewRing makes a ring.
func NewRing(keys ...PrivateKey) Ring {
	r := Ring{make(map[string]PrivateKey, len(keys))}
	for _, k := range keys {
		if id := k.Public().ID(); id != "" {
			r.keys[id] = k
		}
	}
	return r
}

// IDs are the IDs of the keys, in order.
func (r Ring) IDs() []string { return slices.Sorted(maps.Keys(r.keys)) }

// UnknownKeyError is a secret that was sealed to a key that the worker does
// not have.
type UnknownKeyError struct {
	ID   string
	Have []string
}

// Error names the key and those there are.
func (e *UnknownKeyError) Error() string {
	have := "none"
	if len(e.Have) > 0 {
		have = strings.Join(e.Have, ", ")
	}
	return fmt.Sprintf("it was sealed to key %s, and this worker has %s", e.ID, have)
}

// ErrOtherJob means that a secret does not open for this job. Damage on the
// way looks the same.
var ErrOtherJob = errors.New("it was sealed for another job, or was changed since")

// Open opens a sealed secret for the job that it is bound to. It fails with
// ErrFormat, an *UnknownKeyError or ErrOtherJob, or because the binding is
// not complete.
func (r Ring) Open(b Binding, sealed string) (string, error) {
	info, err := b.info()
	if err != nil {
		return "", err
	}
	id, data, err := parse(sealed)
	if err != nil {
		return "", err
	}
	k, ok := r.keys[id]
	if !ok {
		return "", &UnknownKeyError{ID: id, Have: r.IDs()}
	}
	_, kdf, aead := suite()
	value, err := hpke.Open(k.key, kdf, aead, info, data)
	if err != nil {
		return "", ErrOtherJob // what HPKE says is that it did not open, and no more
	}
	return string(value), nil
}
