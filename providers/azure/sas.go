package azure

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"
)

// sasToken is a shared access signature: the query that is added to every
// request. See "Create an account SAS", "Create a service SAS" and "Create a
// user delegation SAS" of the REST reference.
type sasToken struct {
	raw    string
	fields url.Values
}

// parseSAS reads a token, with or without the question mark before it. What
// it says is not judged here.
func parseSAS(field, text string) (sasToken, error) {
	raw := strings.TrimLeft(text, "?&")
	fields, err := url.ParseQuery(raw)
	odd := strings.ContainsFunc(raw, func(r rune) bool { return r < ' ' || r > '~' || r == '#' })
	if err != nil || odd {
		return sasToken{}, invalid("SASMalformed", field+" is not a SAS token", "Copy the SAS token again, whole and on one line.")
	}
	return sasToken{raw: strings.ReplaceAll(raw, " ", "%20"), fields: fields}, nil
}

func (t sasToken) get(name string) string { return t.fields.Get(name) }

// secrets are the forms in which the signature could be repeated.
func (t sasToken) secrets() []string {
	signature := t.get("sig")
	if signature == "" {
		return []string{t.raw}
	}
	return []string{t.raw, signature, url.QueryEscape(signature), url.PathEscape(signature)}
}

// isAccount tells an account SAS from one of a container or a blob.
func (t sasToken) isAccount() bool { return t.get("ss") != "" || t.get("srt") != "" }

// policy is the stored access policy that says what the token lacks.
func (t sasToken) policy() string { return t.get("si") }

func (t sasToken) grants(letters string) bool { return strings.ContainsAny(t.get("sp"), letters) }

// signatureFault says what has happened to the signature on the way here;
// empty when it looks whole.
func (t sasToken) signatureFault() string {
	signature := t.get("sig")
	decoded, err := base64.StdEncoding.DecodeString(signature)
	switch {
	case signature == "":
		return "has no sig"
	case strings.ContainsAny(signature, " "):
		return "has spaces in sig where plus signs were"
	case strings.Contains(signature, "%"):
		return "has a sig that is URL-encoded twice"
	case err != nil, len(decoded) != signatureSize:
		return "has a sig that is cut short or mistyped"
	}
	return ""
}

const signatureSize = 32 // bytes of an HMAC-SHA256

// span is when the token is valid; a zero time is no limit. That of a user
// delegation SAS also ends with its key.
func (t sasToken) span() (from, until time.Time, ok bool) {
	from, okFrom := sasTime(t.get("st"))
	until, okUntil := sasTime(t.get("se"))
	keyUntil, okKey := sasTime(t.get("ske"))
	if !keyUntil.IsZero() && (until.IsZero() || keyUntil.Before(until)) {
		until = keyUntil
	}
	return from, until, okFrom && okUntil && okKey
}

// sasTime reads the forms of ISO 8601 that the service takes.
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

// permission is one letter of sp, for people.
type permission struct {
	letter rune
	name   string
}

// needless are the rights that no job of Stevedore uses, dangerous ones
// first.
func needless() []permission {
	return []permission{
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
}

// excess names the rights that the token grants beyond what jobs use.
func (t sasToken) excess() []string {
	var found []string
	for _, p := range needless() {
		if strings.ContainsRune(t.get("sp"), p.letter) {
			found = append(found, string(p.letter)+" ("+p.name+")")
		}
	}
	for _, other := range []permission{{'q', "Queue"}, {'t', "Table"}, {'f', "File"}} {
		if strings.ContainsRune(t.get("ss"), other.letter) {
			found = append(found, "service "+string(other.letter)+" ("+other.name+")")
		}
	}
	return slices.Clip(found)
}
