package azerror

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// timeFrame matches the times of a SAS token that is not valid now.
var timeFrame = regexp.MustCompile(
	`Start \[([^\]]{0,40})\] - Expiry \[([^\]]{0,40})\] - Current \[([^\]]{0,40})\]`)

// signatureAdvice reads the service's text about a signature that it
// refused. It returns the cause and the advice. Of the service's text it
// repeats only the times, because the rest holds what was signed. The
// advice may be empty.
func signatureAdvice(text string) (detail, fix string) {
	if m := timeFrame.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("the SAS token is valid from %s to %s; the server's clock says %s",
				driver.Printable(m[1]), driver.Printable(m[2]), driver.Printable(m[3])),
			"Make a new SAS token whose start (st) and expiry (se) include the server's time; " +
				"if that is not the time you expect, set the worker's clock."
	}

	switch {
	case strings.Contains(text, "must be after signed start time"):
		return "the SAS token ends before it starts",
			"Make a new SAS token whose expiry (se) is after its start (st)."
	case strings.Contains(text, "Signature did not match"),
		strings.Contains(text, "Signature fields not well formed"):
		return "the signature does not match",
			"Copy the SAS token again, whole: sig must not be cut or URL-encoded twice; " +
				"if it is whole, the account key that signed it was replaced."
	case strings.Contains(text, "MAC signature"):
		return "the signature does not match",
			"Check the account key and account: the key is mistyped, of another account, " +
				"or was replaced (az storage account keys list)."
	case strings.Contains(text, "Issuer validation failed"):
		return "the token is of another directory",
			"Check auth.tenant_id: " +
				"it must be the directory of the storage account's subscription."
	case strings.Contains(text, "is mandatory"):
		return "a part of the SAS token is missing",
			"Copy the SAS token again, whole: it must have sv, sp, se, sig, and sr or ss and srt."
	}
	return "the service does not accept the credentials", ""
}
