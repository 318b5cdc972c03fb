package seal

import (
	"crypto/hpke"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const (
	publicPrefix  = "stevedore-public-key:"
	privatePrefix = "stevedore-private-key:"
)

// PublicKey is the key that producers seal to. The zero value is no
// key.
type PublicKey struct{ key hpke.PublicKey }

// ParsePublicKey reads the text that String returns. Errors do not
// repeat the text, which may be a private key by mistake.
func ParsePublicKey(text string) (PublicKey, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, privatePrefix) {
		return PublicKey{}, errors.New("this is the private key, which only workers may have: " +
			"give the public one, and make a new pair if others have seen this one")
	}
	body, ok := strings.CutPrefix(text, publicPrefix)
	data, err := encoding.DecodeString(body)
	if !ok || err != nil {
		return PublicKey{}, errors.New("not a public key: it begins with " + publicPrefix +
			", and stevedore keygen prints one")
	}
	kem, _, _ := suite()
	key, err := kem.NewPublicKey(data)
	if err != nil {
		return PublicKey{}, errors.New("not a public key: damaged")
	}
	return PublicKey{key}, nil
}

// IsZero reports whether this is no key.
func (k PublicKey) IsZero() bool { return k.key == nil }

// ID returns the first 8 bytes, in hex, of the SHA-256 of the key. It
// is empty for the zero value.
func (k PublicKey) ID() string {
	if k.IsZero() {
		return ""
	}
	sum := sha256.Sum256(k.key.Bytes())
	return hex.EncodeToString(sum[:8])
}

// String returns the key as text. It is empty for the zero value.
func (k PublicKey) String() string {
	if k.IsZero() {
		return ""
	}
	return publicPrefix + encoding.EncodeToString(k.key.Bytes())
}

// PrivateKey is the key with which workers open sealed secrets.
// Printing or logging it gives "[redacted]"; only Text shows it. The
// zero value is no key.
type PrivateKey struct{ key hpke.PrivateKey }

// NewKey makes a new pair of keys.
func NewKey() (PrivateKey, error) {
	kem, _, _ := suite()
	key, err := kem.GenerateKey()
	if err != nil {
		return PrivateKey{}, fmt.Errorf("make a key: %w", err)
	}
	return PrivateKey{key}, nil
}

// ParsePrivateKey reads the text that Text returns. Errors do not
// repeat it.
func ParsePrivateKey(text string) (PrivateKey, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, publicPrefix) {
		return PrivateKey{}, errors.New("this is the public key: " +
			"give the private one, which stevedore keygen wrote")
	}
	body, ok := strings.CutPrefix(text, privatePrefix)
	data, err := encoding.DecodeString(body)
	if !ok || err != nil {
		return PrivateKey{}, errors.New("not a private key: stevedore keygen writes one")
	}
	kem, _, _ := suite()
	key, err := kem.NewPrivateKey(data)
	if err != nil {
		return PrivateKey{}, errors.New("not a private key: damaged")
	}
	return PrivateKey{key}, nil
}

// IsPrivateKey reports whether a text looks like a private key and must
// not be shown.
func IsPrivateKey(text string) bool { return strings.Contains(text, privatePrefix) }

// Public returns the public key of the pair.
func (k PrivateKey) Public() PublicKey {
	if k.key == nil {
		return PublicKey{}
	}
	return PublicKey{k.key.PublicKey()}
}

// Text returns the key as text, for the file that the workers read.
func (k PrivateKey) Text() (string, error) {
	if k.key == nil {
		return "", errors.New("there is no private key")
	}
	data, err := k.key.Bytes()
	if err != nil {
		return "", fmt.Errorf("write a private key: %w", err)
	}
	return privatePrefix + encoding.EncodeToString(data), nil
}

const redacted = "[redacted]"

// Format implements fmt.Formatter: no verb shows the key.
func (k PrivateKey) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, redacted) }

// LogValue implements slog.LogValuer.
func (k PrivateKey) LogValue() slog.Value { return slog.StringValue(redacted) }
