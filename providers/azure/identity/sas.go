package identity

import (
	"encoding/base64"
	"net/url"
	"strings"
	"time"
)

// SASToken is a shared access signature: the query that is added to the
// URL of every request. The REST reference describes it in "Create an
// account SAS", "Create a service SAS" and "Create a user delegation
// SAS".
type SASToken struct {
	raw    string
	fields url.Values
}

// ParseSAS reads a token, with or without a question mark before it. It
// does not check whether the token is usable. Its errors name the
// payload's field and never repeat the token.
func ParseSAS(field, text string) (SASToken, error) {
	raw := strings.TrimLeft(text, "?&")
	fields, err := url.ParseQuery(raw)
	if err != nil || strings.ContainsFunc(raw, isNotQuery) {
		return SASToken{}, invalid("SASMalformed", field+" is not a SAS token",
			"Copy the SAS token again, whole and on one line.")
	}
	return SASToken{raw: strings.ReplaceAll(raw, " ", "%20"), fields: fields}, nil
}

// isNotQuery reports whether a character must not stand in a query.
// Spaces are allowed: they come from plus signs.
func isNotQuery(r rune) bool { return r < ' ' || r > '~' || r == '#' }

// Get returns a parameter's value; empty when it is missing.
func (t SASToken) Get(name string) string { return t.fields.Get(name) }

// secrets returns the forms in which an error could repeat the signature.
func (t SASToken) secrets() []string {
	signature := t.Get("sig")
	if signature == "" {
		return []string{t.raw}
	}
	return []string{t.raw, signature, url.QueryEscape(signature), url.PathEscape(signature)}
}

// IsAccount reports whether the token is an account SAS, not one of a
// container or a blob.
func (t SASToken) IsAccount() bool { return t.Get("ss") != "" || t.Get("srt") != "" }

// Policy returns the stored access policy. It defines what the token
// itself leaves out.
func (t SASToken) Policy() string { return t.Get("si") }

// Grants reports whether the token's permissions hold one of the letters.
func (t SASToken) Grants(letters string) bool { return strings.ContainsAny(t.Get("sp"), letters) }

const signatureSize = 32 // bytes of an HMAC-SHA256

// SignatureProblem says how the signature was damaged before it got here,
// for example "has no sig". It is empty when the signature is well
// formed.
func (t SASToken) SignatureProblem() string {
	signature := t.Get("sig")
	decoded, err := base64.StdEncoding.DecodeString(signature)
	switch {
	case signature == "":
		return "has no sig"
	case strings.Contains(signature, " "):
		return "has spaces in sig where plus signs were"
	case strings.Contains(signature, "%"):
		return "has a sig that is URL-encoded twice"
	case err != nil, len(decoded) != signatureSize:
		return "has a sig that is cut short or mistyped"
	}
	return ""
}

// Validity returns the time span in which the token is valid. A zero time
// means no limit. A user delegation SAS also ends with its key. ok is
// false when a time is not readable.
func (t SASToken) Validity() (from, until time.Time, ok bool) {
	from, okFrom := sasTime(t.Get("st"))
	until, okUntil := sasTime(t.Get("se"))
	keyUntil, okKey := sasTime(t.Get("ske"))
	if !keyUntil.IsZero() && (until.IsZero() || keyUntil.Before(until)) {
		until = keyUntil
	}
	return from, until, okFrom && okUntil && okKey
}

// sasTime reads a time in the forms of ISO 8601 that the service accepts.
func sasTime(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// sasLetter is one letter of a SAS parameter, with its name.
type sasLetter struct {
	letter rune
	name   string
}

// unneededPermissions are those that no job uses, dangerous ones first.
var unneededPermissions = []sasLetter{
	{'d', "Delete"},
	{'x', "Delete version"},
	{'y', "Permanent delete"},
	{'p', "Change permissions"},
	{'o', "Change ownership"},
	{'i', "Immutability"},
	{'m', "Move"},
	{'e', "Execute"},
	{'t', "Tags"},
	{'f', "Filter by tags"},
	{'u', "Update"},
}

var unneededServices = []sasLetter{{'q', "Queue"}, {'t', "Table"}, {'f', "File"}}

// excess names what the token allows and no job uses.
func (t SASToken) excess() []string {
	var found []string
	for _, p := range unneededPermissions {
		if strings.ContainsRune(t.Get("sp"), p.letter) {
			found = append(found, string(p.letter)+" ("+p.name+")")
		}
	}
	for _, s := range unneededServices {
		if strings.ContainsRune(t.Get("ss"), s.letter) {
			found = append(found, "service "+string(s.letter)+" ("+s.name+")")
		}
	}
	return found
}

// Excess names, for people, what the credentials allow and no job uses.
// It is empty for roles, whose rights only the service knows.
func (i *Identity) Excess() []string {
	if i.key != nil {
		return []string{"everything in the whole account, " +
			"its other containers and its settings included"}
	}
	return i.SAS.excess()
}
