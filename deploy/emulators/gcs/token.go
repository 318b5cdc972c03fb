package gcs

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/web"
)

const (
	tokenPath      = "/token"
	googleTokenURL = "https://oauth2.googleapis.com/token"
	tokenLifetime  = time.Hour

	// impersonationPath is that of the IAM Service Account
	// Credentials API.
	impersonationPath = "/v1/projects/-/serviceAccounts/"
)

// serveToken exchanges a signed assertion for a token
// (https://developers.google.com/identity/protocols/oauth2/service-account).
func (a *accounts) serveToken(w http.ResponseWriter, r *http.Request) {
	email, spec, refusal := a.verify(r.FormValue("assertion"))
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	switch {
	case refusal != "":
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{
			"error": "invalid_grant", "error_description": refusal,
		})
	case spec.Fault != nil:
		spec.Fault.write(w)
	default:
		_ = json.NewEncoder(w).Encode(map[string]any{
			"access_token": a.issue(email),
			"token_type":   "Bearer",
			"expires_in":   int(tokenLifetime.Seconds()),
		})
	}
}

// claims are the part of an assertion that its issuer signs.
type claims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// verify returns the account that signed an assertion. For a wrong
// assertion it returns the refusal in Google's words.
func (a *accounts) verify(assertion string) (email string, spec account, refusal string) {
	parts := strings.Split(assertion, ".")
	var header struct {
		KeyID string `json:"kid"`
	}
	var c claims
	if len(parts) != 3 || decodePart(parts[0], &header) != nil || decodePart(parts[1], &c) != nil {
		return "", spec, "Bad Request"
	}

	spec, known := a.find(c.Issuer)
	switch {
	case !known:
		refusal = "Invalid grant: account not found"
	case spec.keyID != header.KeyID, !a.signed(parts):
		refusal = "Invalid JWT Signature."
	case !a.isAudience(c.Audience):
		refusal = "Invalid JWT: Failed audience check."
	case !c.timely(time.Now().Unix()):
		refusal = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a " +
			"reasonable timeframe. Check your iat and exp values in the JWT claim."
	}
	return c.Issuer, spec, refusal
}

// signed reports whether the third part is a signature of the first
// two.
func (a *accounts) signed(parts []string) bool {
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	return err == nil &&
		rsa.VerifyPKCS1v15(&a.key.PublicKey, crypto.SHA256, sum[:], signature) == nil
}

func (a *accounts) isAudience(url string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return url == a.audience || url == googleTokenURL
}

// timely reports whether the claims are valid at a Unix time. Google
// allows ten minutes of clock difference.
func (c claims) timely(now int64) bool {
	return c.Issued <= now+600 && c.Expires >= now && c.Expires <= c.Issued+3610
}

func decodePart(part string, into any) error {
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// serveImpersonation gives one account a token of another.
func (a *accounts) serveImpersonation(w http.ResponseWriter, r *http.Request) {
	target := strings.TrimPrefix(r.URL.Path, impersonationPath)
	target = strings.TrimSuffix(target, ":generateAccessToken")
	caller, known := a.caller(r)
	spec, _ := a.find(caller)
	if !known || caller == "" || !slices.Contains(spec.ActsAs, target) {
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
			"code":   http.StatusForbidden,
			"status": "PERMISSION_DENIED",
			"message": "Permission 'iam.serviceAccounts.getAccessToken' denied on resource " +
				"(or it may not exist).",
		}})
		return
	}
	web.Answer(w, map[string]string{
		"accessToken": a.issue(target),
		"expireTime":  time.Now().Add(tokenLifetime).UTC().Format(time.RFC3339),
	}, nil)
}
