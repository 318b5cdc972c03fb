package azure

import (
	"fmt"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const (
	// skew is how far the worker's clock may be off: so close to a limit only
	// the service can tell.
	skew = 15 * time.Minute
	// soon is when an expiry is worth a warning.
	soon = 7 * 24 * time.Hour
)

// inspection is what a SAS token says of itself, held against what it is to
// be used for. No request is made.
type inspection struct {
	sas     sasToken
	need    tasks.Need
	service string
	now     time.Time
}

// check is the first fault, or else the first warning, or else good news.
func (i inspection) check() tasks.Check {
	for _, look := range []func() *tasks.Check{i.form, i.times, i.scope, i.permissions, i.connection} {
		if c := look(); c != nil {
			return *c
		}
	}
	evidence := "the SAS token is whole"
	if _, until, _ := i.sas.span(); !until.IsZero() {
		evidence += fmt.Sprintf(", and valid until %s (%d days)", stamp(until), i.days(until))
	}
	if i.sas.policy() != "" {
		evidence += fmt.Sprintf(", as far as the stored access policy %q lets it", driver.Printable(i.sas.policy()))
	}
	return tasks.Check{ID: "credentials", Status: tasks.CheckOK, Evidence: evidence}
}

func failing(code, evidence, fix string) *tasks.Check {
	return &tasks.Check{ID: "credentials", Status: tasks.CheckFail, Code: code, Evidence: evidence, Fix: fix}
}

func (i inspection) form() *tasks.Check {
	if fault := i.sas.signatureFault(); fault != "" {
		return failing("SASSignatureDamaged", "the SAS token "+fault, "Copy the SAS token again, whole and as it is shown: sig must reach the worker unchanged, with %2B for each plus sign.")
	}
	if i.sas.get("sv") == "" || i.sas.get("se")+i.sas.policy() == "" {
		return failing("SASMalformed", "the SAS token lacks sv, or both se and si", "Copy the SAS token again, whole.")
	}
	if !i.sas.isAccount() && i.sas.get("sr") == "" {
		return failing("SASMalformed", "the SAS token has neither ss and srt nor sr", "Copy the SAS token again, whole.")
	}
	return nil
}

func (i inspection) times() *tasks.Check {
	from, until, ok := i.sas.span()
	switch {
	case !ok:
		return failing("SASMalformed", "the SAS token's st or se is not a time", "Make a new SAS token: st and se are times such as 2030-01-31T00:00:00Z.")
	case !from.IsZero() && !until.IsZero() && !from.Before(until):
		return failing("SASMalformed", fmt.Sprintf("the SAS token ends (%s) before it starts (%s)", stamp(until), stamp(from)), "Make a new SAS token whose se is after its st.")
	case !until.IsZero() && i.now.After(until.Add(skew)):
		return failing("SASExpired", fmt.Sprintf("the SAS token expired at %s; the worker's clock says %s", stamp(until), stamp(i.now)), "Make a new SAS token with a later expiry (se).")
	case i.now.Add(skew).Before(from):
		return failing("SASNotYetValid", fmt.Sprintf("the SAS token is valid from %s; the worker's clock says %s", stamp(from), stamp(i.now)), "Wait, make a new SAS token with an earlier start (st), or set the worker's clock.")
	}
	return nil
}

// scope is about what the token is for: services, kinds of resources, one
// container or one blob.
func (i inspection) scope() *tasks.Check {
	if i.sas.isAccount() {
		return i.accountScope()
	}
	switch i.sas.get("sr") {
	case "c", "d":
		return nil
	}
	return failing("SASResource", fmt.Sprintf("the SAS token is for a single blob (sr=%s), so nothing can be listed", driver.Printable(i.sas.get("sr"))), "Make a SAS token of the container (sr=c).")
}

func (i inspection) accountScope() *tasks.Check {
	types := i.sas.get("srt")
	switch {
	case !strings.Contains(i.sas.get("ss"), "b"):
		return failing("SASService", "the SAS token is not for the blob service: ss lacks b", "Make a SAS token with Blob among the allowed services (ss=b).")
	case !strings.Contains(types, "c"):
		return failing("SASResourceType", "the SAS token cannot list: srt lacks c", "Make a SAS token with Container among the allowed resource types (srt=co).")
	case !strings.Contains(types, "o") && (i.need.Read || i.need.Write || i.need.KMS):
		return failing("SASResourceType", "the SAS token reaches no blobs: srt lacks o", "Make a SAS token with Object among the allowed resource types (srt=co).")
	}
	return nil
}

// permissions cannot tell anything when a stored policy may grant them.
func (i inspection) permissions() *tasks.Check {
	if i.sas.policy() != "" {
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
		if p.wanted && !i.sas.grants(p.letters) {
			return failing("SASPermission", "the SAS token does not grant "+p.name+": sp is "+driver.Printable(i.sas.get("sp")), "Make a SAS token whose permissions (sp) hold "+p.name+".")
		}
	}
	return nil
}

// connection is about how and from where requests come, and then about
// warnings.
func (i inspection) connection() *tasks.Check {
	_, until, _ := i.sas.span()
	switch {
	case strings.HasPrefix(i.service, "http://") && i.sas.get("spr") == "https":
		return failing("SASProtocol", "the SAS token is for https only (spr), the endpoint is http", "Write https:// in the endpoint, or make a SAS token for HTTPS and HTTP (spr=https,http).")
	case !until.IsZero() && until.Sub(i.now) < soon:
		c := failing("SASExpiresSoon", fmt.Sprintf("the SAS token expires at %s, in %d days", stamp(until), i.days(until)), "Make a new SAS token with a later expiry (se) before then.")
		c.Status = tasks.CheckWarn
		return c
	case i.sas.get("sip") != "":
		c := failing("SASAddressRange", "the SAS token works only from "+driver.Printable(i.sas.get("sip"))+" (sip)", "Make sure that every worker leaves from that address, or make a SAS token without sip.")
		c.Status = tasks.CheckWarn
		return c
	case !i.sas.grants("w") && i.need.Write && i.sas.policy() == "":
		c := failing("SASCreateOnly", "the SAS token can create blobs but never replace one: sp has c without w", "Make a SAS token whose permissions (sp) hold w (Write), or results cannot be written twice.")
		c.Status = tasks.CheckWarn
		return c
	}
	return nil
}

func (i inspection) days(until time.Time) int {
	return int(max(0, until.Sub(i.now)) / (24 * time.Hour))
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }
