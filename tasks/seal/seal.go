// Package seal lets a producer send a secret that only the workers can
// read: sealed to their public key, and bound to the one job it is for
// and to the one bucket that it opens. Secret is the type of all
// secrets in payloads, sealed or not.
//
// A sealed secret is text, "sealed:<key ID>:<base64url of enc and
// ciphertext, no padding>". It is HPKE (RFC 9180) in base mode with
// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM. The info
// string is these texts, with a zero byte between each two of them:
//
//   - "stevedore sealed secret v2"
//   - the ID of the job, its kind, and its tenant
//   - provider, endpoint, account and bucket of the storage that holds
//     the secret
//
// Each text is as it is in the payload. What the payload does not hold
// is an empty text. There is no further associated data. Producers in
// other languages make the same with any HPKE library.
//
// Version 1 of the info string had no tenant and nothing of the
// storage. Workers refuse such secrets: they could be enqueued again
// with another server, which would get them.
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
	version  = "stevedore sealed secret v2"
	version1 = "stevedore sealed secret v1"
	prefix   = "sealed:"
	overhead = 32 + 16  // bytes: the encapsulated key and the tag
	maxValue = 64 << 10 // bytes; a service-account key has about 2.4 KB
)

// encoding is strict: it has only one text for the same bytes.
var encoding = base64.RawURLEncoding.Strict()

func suite() (hpke.KEM, hpke.KDF, hpke.AEAD) {
	return hpke.DHKEM(ecdh.X25519()), hpke.HKDFSHA256(), hpke.AES256GCM()
}

// Binding is what a secret is sealed for. It does not open for anything
// else.
type Binding struct {
	Job    string // ID
	Kind   string // for example build-manifest
	Tenant string // may be empty
	Destination
}

// Destination is where a secret may be sent, or used to sign requests:
// the fields of a storage as the payload has them. All are empty for a
// secret that is not part of a storage.
type Destination struct {
	Provider string
	Endpoint string // empty for the cloud itself
	Account  string // of Azure
	Bucket   string
}

func (b Binding) info() ([]byte, error) {
	parts := []string{
		b.Job, b.Kind, b.Tenant, b.Provider, b.Endpoint, b.Account, b.Bucket,
	}
	if b.Job == "" || b.Kind == "" {
		return nil, errors.New("a sealed secret is bound to a job's ID and kind, " +
			"and one of them is missing")
	}
	for _, part := range parts {
		if strings.ContainsRune(part, 0) {
			return nil, errors.New("a sealed secret is bound to its job and its storage, " +
				"and one of their fields holds a zero byte")
		}
	}
	return []byte(version + "\x00" + strings.Join(parts, "\x00")), nil
}

// info1 returns the info string of version 1.
func (b Binding) info1() []byte { return []byte(version1 + "\x00" + b.Job + "\x00" + b.Kind) }

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
