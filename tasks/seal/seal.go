// Package seal lets a producer send a secret that only the workers can
// read: sealed to their public key, and bound to the one job it is for.
// Secret is the type of all secrets in payloads, sealed or not.
//
// A sealed secret is text, "sealed:<key ID>:<base64url of enc and
// ciphertext, no padding>". It is HPKE (RFC 9180) in base mode with
// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM. The info
// string is "stevedore sealed secret v1", the job's ID and its kind,
// with a zero byte between them. There is no further associated data.
// Producers in other languages make the same with any HPKE library.
//
// This package knows keys and bytes. It knows no payload and no queue.
package seal

import (
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

const (
	version  = "stevedore sealed secret v1"
	prefix   = "sealed:"
	overhead = 32 + 16  // bytes: the encapsulated key and the tag
	maxValue = 64 << 10 // bytes; a service-account key has about 2.4 KB
)

// encoding is strict: it has only one text for the same bytes.
var encoding = base64.RawURLEncoding.Strict()

func suite() (hpke.KEM, hpke.KDF, hpke.AEAD) {
	return hpke.DHKEM(ecdh.X25519()), hpke.HKDFSHA256(), hpke.AES256GCM()
}

// Binding is the job that a secret is sealed for. It does not open for
// another job.
type Binding struct {
	Job  string // ID
	Kind string // for example build-manifest
}

func (b Binding) info() ([]byte, error) {
	if b.Job == "" || b.Kind == "" || strings.ContainsRune(b.Job+b.Kind, 0) {
		return nil, errors.New("a sealed secret is bound to a job's ID and kind, " +
			"and one of them is missing")
	}
	return []byte(version + "\x00" + b.Job + "\x00" + b.Kind), nil
}

// Seal seals a value. Sealing it again gives another text. Errors do
// not show the value.
func Seal(to PublicKey, b Binding, value string) (string, error) {
	info, err := b.info()
	switch {
	case err != nil:
		return "", err
	case to.IsZero():
		return "", errors.New("there is no public key to seal to")
	case value == "" || len(value) > maxValue:
		return "", fmt.Errorf("a secret must have 1 to %d bytes to be sealed", maxValue)
	}
	_, kdf, aead := suite()
	sealed, err := hpke.Seal(to.key, kdf, aead, info, []byte(value))
	if err != nil {
		return "", fmt.Errorf("seal a secret to key %s: %w", to.ID(), err)
	}
	return prefix + to.ID() + ":" + encoding.EncodeToString(sealed), nil
}

var validID = regexp.MustCompile(`^[0-9a-f]{16}$`)

// ErrFormat means that a text is not a sealed secret.
var ErrFormat = errors.New("not a sealed secret: it reads sealed:<key ID>:<base64url>")

// KeyID returns the ID of the key that a text is sealed to. It fails
// with ErrFormat for any text that Seal cannot have made.
func KeyID(sealed string) (string, error) {
	id, _, err := parse(sealed)
	return id, err
}

func parse(sealed string) (id string, data []byte, err error) {
	rest, ok := strings.CutPrefix(sealed, prefix)
	id, body, found := strings.Cut(rest, ":")
	// The decoder would skip line breaks.
	hasBreak := strings.ContainsAny(body, "\r\n")
	tooLong := len(body) > encoding.EncodedLen(maxValue+overhead)
	if !ok || !found || !validID.MatchString(id) || tooLong || hasBreak {
		return "", nil, ErrFormat
	}
	data, err = encoding.DecodeString(body)
	if err != nil || len(data) <= overhead {
		return "", nil, ErrFormat
	}
	return id, data, nil
}
