package egress

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// rulePlainHTTP is the rule against plain http to public addresses.
const rulePlainHTTP = "plain http"

// BlockedError is returned for a connection that the policy refused.
// Nothing was sent. errors.Is(err, providers.Blocked) holds.
//
// A payload can name any host. Authors of payloads must not learn what
// a name of the workers' network resolves to. So an error for a name
// holds neither the address nor what is special about it.
type BlockedError struct {
	Name   string     // the host, if it was given by a name
	Addr   netip.Addr // the address; none if Name is set
	Rule   string     // the rule that refused it, for example "loopback"; mostly empty for a name
	Always bool       // no setting can allow it
}

// For returns the error as the one who named a host may see it.
func (e *BlockedError) For(host string) *BlockedError {
	if _, err := netip.ParseAddr(host); err == nil {
		return e
	}
	named := &BlockedError{Name: host}
	if e.Rule == rulePlainHTTP { // this one is about the URL
		named.Rule = e.Rule
	}
	return named
}

// Error names the host and the setting, and for an address the rule.
func (e *BlockedError) Error() string {
	text := "egress to " + e.host() + " is refused"
	if e.Rule != "" {
		text += " (" + e.Rule + ")"
	}
	if e.Always {
		return text + "; no setting allows it"
	}
	return text + "; " + setting.EgressAllow.String() + " can allow it"
}

func (e *BlockedError) host() string {
	if e.Name != "" {
		return e.Name
	}
	return e.Addr.String()
}

// Fix tells what to do about it.
func (e *BlockedError) Fix() string { return Fix([]*BlockedError{e}) }

// Fix tells what to do about connections that the policy refused.
// There must be one at least.
func Fix(blocked []*BlockedError) string {
	var networks []string
	for _, e := range blocked {
		network := "the addresses of " + e.Name
		if e.Name == "" {
			network = netip.PrefixFrom(e.Addr, e.Addr.BitLen()).String()
		}
		if !e.Always && !slices.Contains(networks, network) {
			networks = append(networks, network)
		}
	}
	if len(networks) == 0 {
		return "Use another endpoint: nothing that a job may use has this address."
	}

	alternative := "If it is meant, "
	if blocked[0].Rule == rulePlainHTTP {
		alternative = "Write https:// instead of http://; " +
			"if the server has no TLS and is trusted nevertheless, "
	}
	return fmt.Sprintf("%slet the workers' operator add %s to %s.",
		alternative, strings.Join(networks, ","), setting.EgressAllow)
}

// Unwrap returns the kind.
func (e *BlockedError) Unwrap() error { return providers.Blocked }

// RetryableError returns false: a second try gives the same error.
// The AWS SDK asks for this method.
func (e *BlockedError) RetryableError() bool { return false }

// ParseAllow reads a comma-separated list of networks ("10.0.0.0/8")
// and single addresses. It skips white space and empty items. The
// error names the first item that is neither.
func ParseAllow(list string) ([]netip.Prefix, error) {
	var allow []netip.Prefix
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		network, err := parseNetwork(item)
		if err != nil {
			return nil, fmt.Errorf(
				"%q is neither a network such as 10.0.0.0/8 nor an IP address", item)
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
	if bits := network.Bits() - mappedBits; network.Addr().Is4In6() && bits >= 0 {
		network = netip.PrefixFrom(network.Addr().Unmap(), bits)
	}
	return network.Masked(), err
}

// mappedBits is the length of the prefix of IPv4 addresses that are
// written as IPv6, ::ffff:0:0/96.
const mappedBits = 96
