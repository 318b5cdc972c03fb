package egress

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Setting is the environment variable with which the operator allows
// networks, named in errors.
const Setting = "STEVEDORE_EGRESS_ALLOW"

// rulePlain is the rule against http without TLS to public addresses.
const rulePlain = "plain http"

// BlockedError is a connection that the policy refused. Nothing was sent.
// errors.Is(err, providers.Blocked) holds.
type BlockedError struct {
	Addr   netip.Addr // the resolved address
	Rule   string     // the name of the rule that refused it, for example "loopback"
	Always bool       // no setting can allow it
}

// Error names the address, the rule and the setting.
func (e *BlockedError) Error() string {
	text := fmt.Sprintf("egress to %s is refused (%s)", e.Addr, e.Rule)
	if e.Always {
		return text + "; no setting allows it"
	}
	return text + "; " + Setting + " on the workers can allow it"
}

// Fix is what to do about it.
func (e *BlockedError) Fix() string {
	if e.Always {
		return "Use another endpoint: nothing that a job may use lives at this address."
	}
	return e.instead() + fmt.Sprintf("let the workers' operator add %s to %s.", e.network(), Setting)
}

// instead is the better way, if there is one, and the start of the sentence
// about the setting.
func (e *BlockedError) instead() string {
	if e.Rule == rulePlain {
		return "Write https:// instead of http://; if the server has no TLS and is trusted all the same, "
	}
	return "If it is meant, "
}

func (e *BlockedError) network() netip.Prefix { return netip.PrefixFrom(e.Addr, e.Addr.BitLen()) }

// Unwrap gives the kind.
func (e *BlockedError) Unwrap() error { return providers.Blocked }

// RetryableError tells clients that retry (the AWS SDK asks for this method)
// that it will not get better.
func (e *BlockedError) RetryableError() bool { return false }

// ParseAllow reads a comma-separated list of networks ("10.0.0.0/8") and
// single addresses. White space and empty items are skipped; an error names
// the first item that is neither.
func ParseAllow(list string) ([]netip.Prefix, error) {
	var allow []netip.Prefix
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		network, err := parseNetwork(item)
		if err != nil {
			return nil, fmt.Errorf("%q is neither a network such as 10.0.0.0/8 nor an IP address", item)
		}
		allow = append(allow, network)
	}
	return allow, nil
}

func parseNetwork(item string) (netip.Prefix, error) {
	if !strings.Contains(item, "/") {
		addr, err := netip.ParseAddr(item)
		if err != nil {
			return netip.Prefix{}, err
		}
		addr = addr.WithZone("").Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	network, err := netip.ParsePrefix(item)
	return network.Masked(), err
}
