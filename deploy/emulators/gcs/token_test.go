package gcs

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// assertion signs claims as a client does.
func (a *accounts) assertion(t *testing.T, keyID string, c claims) string {
	t.Helper()
	encode := func(value any) string {
		data, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	text := encode(map[string]string{"alg": "RS256", "kid": keyID}) + "." + encode(c)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	a, err := newAccounts()
	if err != nil {
		t.Fatal(err)
	}
	a.setAudience("https://token.example")
	file, err := a.set("ann", account{})
	if err != nil {
		t.Fatal(err)
	}
	keyID, now := file["private_key_id"], time.Now().Unix()
	good := claims{emailOf("ann"), "https://token.example", now, now + 3600}
	changed := func(change func(*claims)) string {
		c := good
		change(&c)
		return a.assertion(t, keyID, c)
	}
	for name, c := range map[string]struct{ assertion, want string }{
		"good":           {a.assertion(t, keyID, good), ""},
		"Google's":       {changed(func(c *claims) { c.Audience = googleTokenURL }), ""},
		"no JWT":         {"x", "Bad Request"},
		"no account":     {changed(func(c *claims) { c.Issuer = emailOf("bob") }), "account not found"},
		"an old key":     {a.assertion(t, "old", good), "Invalid JWT Signature."},
		"a wrong key":    {a.assertion(t, keyID, good) + "AA", "Invalid JWT Signature."},
		"other audience": {changed(func(c *claims) { c.Audience = "https://x.example" }), "audience"},
		"expired":        {changed(func(c *claims) { c.Expires = now - 1 }), "short-lived"},
		"too long":       {changed(func(c *claims) { c.Expires = now + 7200 }), "short-lived"},
		"in the future":  {changed(func(c *claims) { c.Issued = now + 700 }), "short-lived"},
	} {
		_, _, refusal := a.verify(c.assertion)
		if (refusal == "") != (c.want == "") || !strings.Contains(refusal, c.want) {
			t.Errorf("%s: refusal %q, want %q", name, refusal, c.want)
		}
	}
}
