package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	gcsTokenPath  = "/token"
	gcsActPath    = "/v1/projects/-/serviceAccounts/" // of the IAM Service Account Credentials API
	gcsGoogle     = "https://oauth2.googleapis.com/token"
	tokenLifetime = time.Hour
)

// gcsAccounts is service accounts and the tokens they were given. All have
// the same key, because making one takes long; what tells them apart is the
// key's ID.
type gcsAccounts struct {
	audience string
	key      *rsa.PrivateKey

	mu       sync.Mutex
	accounts map[string]gcsAccount // by email
	tokens   map[string]string     // token to email
}

// gcsAccount is what a test says about an account.
type gcsAccount struct {
	Root   bool      `json:"root"`    // may do everything
	ActsAs []string  `json:"acts_as"` // emails that it may create tokens of
	Fault  *gcsFault `json:"fault"`   // the token endpoint's answer
	keyID  string
}

func newGCSAccounts(audience string) (*gcsAccounts, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return &gcsAccounts{audience: audience, key: key, accounts: map[string]gcsAccount{}, tokens: map[string]string{}}, err
}

func gcsEmail(name string) string { return name + "@emulated.iam.gserviceaccount.com" }

// set makes an account and gives its key file, as Google's console does.
func (a *gcsAccounts) set(name string, account gcsAccount) (map[string]string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, err
	}
	account.keyID = strings.ToLower(rand.Text())
	a.mu.Lock()
	defer a.mu.Unlock()
	a.accounts[gcsEmail(name)] = account
	return map[string]string{
		"type": "service_account", "project_id": "emulated", "client_email": gcsEmail(name), "client_id": "1",
		"private_key_id": account.keyID, "private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": gcsGoogle, "universe_domain": "googleapis.com",
	}, nil
}

func (a *gcsAccounts) remove(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.accounts, gcsEmail(name))
}

func (a *gcsAccounts) isRoot(email string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.accounts[email].Root
}

// caller is whose token a request holds; nobody's is known too, as the empty
// email.
func (a *gcsAccounts) caller(r *http.Request) (email string, known bool) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	email, known = a.tokens[strings.TrimPrefix(header, "Bearer ")]
	return email, known
}

func (a *gcsAccounts) issue(email string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	token := "ya29.emulated-" + rand.Text()
	a.tokens[token] = email
	return token
}

// serveToken exchanges a signed assertion for a token
// (https://developers.google.com/identity/protocols/oauth2/service-account).
func (a *gcsAccounts) serveToken(w http.ResponseWriter, r *http.Request) {
	email, account, refused := a.verify(r.FormValue("assertion"))
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	switch {
	case refused != "":
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_grant", "error_description": refused})
	case account.Fault != nil:
		account.Fault.write(w)
	default:
		_ = json.NewEncoder(w).Encode(map[string]any{
			"access_token": a.issue(email), "token_type": "Bearer", "expires_in": int(tokenLifetime.Seconds()),
		})
	}
}

// verify finds the account that signed an assertion, or says in Google's
// words what is wrong with it.
func (a *gcsAccounts) verify(assertion string) (email string, account gcsAccount, refused string) {
	parts := strings.Split(assertion, ".")
	var header struct {
		KeyID string `json:"kid"`
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Audience string `json:"aud"`
		Issued   int64  `json:"iat"`
		Expires  int64  `json:"exp"`
	}
	if len(parts) != 3 || decodePart(parts[0], &header) != nil || decodePart(parts[1], &claims) != nil {
		return "", account, "Bad Request"
	}
	a.mu.Lock()
	account, known := a.accounts[claims.Issuer]
	a.mu.Unlock()
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	now := time.Now().Unix()
	switch {
	case !known:
		refused = "Invalid grant: account not found"
	case err != nil, account.keyID != header.KeyID, rsa.VerifyPKCS1v15(&a.key.PublicKey, crypto.SHA256, sum[:], signature) != nil:
		refused = "Invalid JWT Signature."
	case claims.Audience != a.audience && claims.Audience != gcsGoogle:
		refused = "Invalid JWT: Failed audience check."
	case claims.Issued > now+600 || claims.Expires < now || claims.Expires > claims.Issued+3610:
		refused = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."
	}
	return claims.Issuer, account, refused
}

func decodePart(part string, into any) error {
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// serveActing gives an account a token of another.
func (a *gcsAccounts) serveActing(w http.ResponseWriter, r *http.Request) {
	target := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, gcsActPath), ":generateAccessToken")
	caller, known := a.caller(r)
	a.mu.Lock()
	account := a.accounts[caller]
	a.mu.Unlock()
	if !known || caller == "" || !slices.Contains(account.ActsAs, target) {
		message := "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": http.StatusForbidden, "message": message, "status": "PERMISSION_DENIED"}})
		return
	}
	answer(w, map[string]string{"accessToken": a.issue(target), "expireTime": time.Now().Add(tokenLifetime).UTC().Format(time.RFC3339)}, nil)
}
