package probe

import (
	"fmt"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/providers/azure/identity"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const (
	// maxClockSkew is how far the worker's clock may be off. Within it,
	// only the service can tell whether a token is valid.
	maxClockSkew = 15 * time.Minute
	// minValidity is how long a token must be valid, or there is a
	// warning.
	minValidity = 7 * 24 * time.Hour
)

// inspection compares what a SAS token says with what it is to be used
// for. It makes no request.
type inspection struct {
	sas     identity.SASToken
	need    tasks.Need
	service string // the URL of the blob service
	now     time.Time
}

// check returns the first fault. Without a fault it returns the first
// warning, and without a warning when the token expires.
func (i inspection) check() tasks.Check {
	for _, find := range []func() *tasks.Check{
		i.form, i.times, i.scope, i.permissions, i.protocol, i.warnings,
	} {
		if c := find(); c != nil {
			return *c
		}
	}

	evidence := "the SAS token is whole"
	if _, until, _ := i.sas.Validity(); !until.IsZero() {
		evidence += fmt.Sprintf(", and valid until %s (%d days)", stamp(until), i.days(until))
	}
	if i.sas.Policy() != "" {
		evidence += fmt.Sprintf(", as far as the stored access policy %q allows",
			driver.Printable(i.sas.Policy()))
	}
	return check.OK(evidence)
}

func fault(code, evidence, fix string) *tasks.Check {
	c := check.Fail(code, "the SAS token "+evidence, fix)
	return &c
}

func warning(code, evidence, fix string) *tasks.Check {
	c := check.Warn(code, "the SAS token "+evidence, fix)
	return &c
}

// form finds parts that are damaged or missing.
func (i inspection) form() *tasks.Check {
	problem := i.sas.SignatureProblem()
	switch {
	case problem != "":
		return fault("SASSignatureDamaged", problem,
			"Copy the SAS token again, whole and as it is shown: "+
				"sig must reach the worker unchanged, with %2B for each plus sign.")
	case i.sas.Get("sv") == "" || i.sas.Get("se")+i.sas.Policy() == "":
		return fault("SASMalformed", "lacks sv, or both se and si",
			"Copy the SAS token again, whole.")
	case !i.sas.IsAccount() && i.sas.Get("sr") == "":
		return fault("SASMalformed", "has neither ss and srt nor sr",
			"Copy the SAS token again, whole.")
	}
	return nil
}

// times finds a token that is not valid now.
func (i inspection) times() *tasks.Check {
	from, until, ok := i.sas.Validity()
	switch {
	case !ok:
		return fault("SASMalformed", "has an st or se that is not a time",
			"Make a new SAS token: st and se are times such as 2030-01-31T00:00:00Z.")
	case !from.IsZero() && !until.IsZero() && !from.Before(until):
		return fault("SASMalformed",
			fmt.Sprintf("ends (%s) before it starts (%s)", stamp(until), stamp(from)),
			"Make a new SAS token whose se is after its st.")
	case !until.IsZero() && i.now.After(until.Add(maxClockSkew)):
		return fault("SASExpired",
			fmt.Sprintf("expired at %s; the worker's clock says %s", stamp(until), stamp(i.now)),
			"Make a new SAS token with a later expiry (se).")
	case i.now.Add(maxClockSkew).Before(from):
		return fault("SASNotYetValid",
			fmt.Sprintf("is valid from %s; the worker's clock says %s", stamp(from), stamp(i.now)),
			"Wait, make a new SAS token with an earlier start (st), or set the worker's clock.")
	}
	return nil
}

// scope finds a token for another service, or for too few kinds of
// resources.
func (i inspection) scope() *tasks.Check {
	if i.sas.IsAccount() {
		return i.accountScope()
	}
	switch resource := i.sas.Get("sr"); resource {
	case "c", "d": // a container or a directory
		return nil
	default:
		return fault("SASResource",
			fmt.Sprintf("is for a single blob (sr=%s), so nothing can be listed",
				driver.Printable(resource)),
			"Make a SAS token of the container (sr=c).")
	}
}

func (i inspection) accountScope() *tasks.Check {
	types := i.sas.Get("srt")
	needsBlobs := i.need.Read || i.need.Write || i.need.KMS
	switch {
	case !strings.Contains(i.sas.Get("ss"), "b"):
		return fault("SASService", "is not for the blob service: ss lacks b",
			"Make a SAS token with Blob among the allowed services (ss=b).")
	case !strings.Contains(types, "c"):
		return fault("SASResourceType", "cannot list: srt lacks c",
			"Make a SAS token with Container among the allowed resource types (srt=co).")
	case !strings.Contains(types, "o") && needsBlobs:
		return fault("SASResourceType", "gives no access to blobs: srt lacks o",
			"Make a SAS token with Object among the allowed resource types (srt=co).")
	}
	return nil
}

// permissions finds a permission that is missing. A stored access policy
// may grant it, so a token with a policy passes.
func (i inspection) permissions() *tasks.Check {
	if i.sas.Policy() != "" {
		return nil
	}
	for _, p := range []struct {
		letters, name string
		wanted        bool
	}{
		{"l", "l (List)", true},
		{"r", "r (Read)", i.need.Read || i.need.KMS},
		{"wc", "w (Write)", i.need.Write},
	} {
		if p.wanted && !i.sas.Grants(p.letters) {
			return fault("SASPermission",
				"does not grant "+p.name+": sp is "+driver.Printable(i.sas.Get("sp")),
				"Make a SAS token whose permissions (sp) hold "+p.name+".")
		}
	}
	return nil
}

// protocol finds a token that the endpoint's protocol does not allow.
func (i inspection) protocol() *tasks.Check {
	if strings.HasPrefix(i.service, "http://") && i.sas.Get("spr") == "https" {
		return fault("SASProtocol", "is for https only (spr), the endpoint is http",
			"Write https:// in the endpoint, or make a SAS token for HTTPS and HTTP "+
				"(spr=https,http).")
	}
	return nil
}

// warnings finds what works now and will cause trouble later.
func (i inspection) warnings() *tasks.Check {
	_, until, _ := i.sas.Validity()
	switch {
	case !until.IsZero() && until.Sub(i.now) < minValidity:
		return warning("SASExpiresSoon",
			fmt.Sprintf("expires at %s, in %d days", stamp(until), i.days(until)),
			"Make a new SAS token with a later expiry (se) before then.")
	case i.sas.Get("sip") != "":
		return warning("SASAddressRange",
			"works only from "+driver.Printable(i.sas.Get("sip"))+" (sip)",
			"Make sure that the requests of every worker come from that address, "+
				"or make a SAS token without sip.")
	case !i.sas.Grants("w") && i.need.Write && i.sas.Policy() == "":
		return warning("SASCreateOnly",
			"can create blobs but never replace one: sp has c without w",
			"Make a SAS token whose permissions (sp) hold w (Write), "+
				"or results cannot be written twice.")
	}
	return nil
}

func (i inspection) days(until time.Time) int {
	return int(max(0, until.Sub(i.now)) / (24 * time.Hour))
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }
