package gcs

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"sync"
)

// accounts holds service accounts and the tokens issued to them. All
// share one private key, because making one takes long; they differ
// in the ID of the key. It is safe for concurrent use.
type accounts struct {
	key *rsa.PrivateKey

	mu       sync.Mutex
	audience string             // that assertions must name, beside Google's own
	accounts map[string]account // by email
	tokens   map[string]string  // email by token
}

// account is what a test says about a service account.
type account struct {
	Root   bool     `json:"root"`    // may do everything
	ActsAs []string `json:"acts_as"` // emails that it may create tokens of
	Fault  *fault   `json:"fault"`   // answer of the token endpoint in place of a token
	keyID  string
}

func newAccounts() (*accounts, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return &accounts{key: key, accounts: map[string]account{}, tokens: map[string]string{}}, err
}

// emailOf returns the email of the account with this name.
func emailOf(name string) string { return name + "@emulated.iam.gserviceaccount.com" }

func (a *accounts) setAudience(url string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.audience = url
}

// set makes or replaces an account, and returns its key file in the
// form of Google's console.
func (a *accounts) set(name string, spec account) (map[string]string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, err
	}
	spec.keyID = strings.ToLower(rand.Text())
	a.mu.Lock()
	defer a.mu.Unlock()
	a.accounts[emailOf(name)] = spec
	return map[string]string{
		"type":            "service_account",
		"project_id":      "emulated",
		"client_email":    emailOf(name),
		"client_id":       "1",
		"private_key_id":  spec.keyID,
		"private_key":     string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"auth_uri":        "https://accounts.google.com/o/oauth2/auth",
		"token_uri":       googleTokenURL,
		"universe_domain": "googleapis.com",
	}, nil
}

func (a *accounts) remove(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.accounts, emailOf(name))
}

func (a *accounts) find(email string) (account, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	spec, ok := a.accounts[email]
	return spec, ok
}

func (a *accounts) isRoot(email string) bool {
	spec, _ := a.find(email)
	return spec.Root
}

// caller returns the email that a request's token was issued to. A
// request without a token is known too: its email is empty.
func (a *accounts) caller(r *http.Request) (email string, known bool) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	email, known = a.tokens[strings.TrimPrefix(header, "Bearer ")]
	return email, known
}

// issue returns a new token of an account.
func (a *accounts) issue(email string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	token := "ya29.emulated-" + rand.Text()
	a.tokens[token] = email
	return token
}
