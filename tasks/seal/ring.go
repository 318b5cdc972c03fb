package seal

import (
	"crypto/hpke"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Ring holds the private keys of a worker by their IDs. The zero value
// is empty.
//
// To change keys, first give the workers the new key in addition to the
// old one. Then give the producers the new public key. Remove the old
// one when its jobs have ended.
type Ring struct{ keys map[string]PrivateKey }

// NewRing makes a ring of keys.
func NewRing(keys ...PrivateKey) Ring {
	r := Ring{make(map[string]PrivateKey, len(keys))}
	for _, k := range keys {
		if id := k.Public().ID(); id != "" {
			r.keys[id] = k
		}
	}
	return r
}

// IDs returns the IDs of the keys, sorted.
func (r Ring) IDs() []string { return slices.Sorted(maps.Keys(r.keys)) }

// UnknownKeyError means that a secret was sealed to a key that the
// worker does not have.
type UnknownKeyError struct {
	ID   string
	Have []string
}

// Error names the key, and the keys of the worker.
func (e *UnknownKeyError) Error() string {
	have := "none"
	if len(e.Have) > 0 {
		have = strings.Join(e.Have, ", ")
	}
	return fmt.Sprintf("it was sealed to key %s, and this worker has %s", e.ID, have)
}

// ErrOtherUse means that a secret cannot be opened for this job and
// this storage. A damaged one gives the same error.
var ErrOtherUse = errors.New("it was sealed for another job, tenant or bucket, " +
	"for another endpoint or account, or was changed since then")

// ErrOldVersion means that a secret was sealed by the rules of version
// 1. It could be sent anywhere, so it is not opened.
var ErrOldVersion = errors.New("it was sealed by an older version of Stevedore, " +
	"which does not bind a secret to the bucket that it is for")

// Open opens a sealed secret for what it is bound to. Its error is
// ErrFormat, an *UnknownKeyError, ErrOtherUse or ErrOldVersion, or says
// that the binding is incomplete.
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
	if err == nil {
		return string(value), nil
	}
	if _, err := hpke.Open(k.key, kdf, aead, b.info1(), data); err == nil {
		return "", ErrOldVersion
	}
	return "", ErrOtherUse // HPKE gives no other reason
}
