package egress

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// rulePlainHTTP is the rule against plain http to public addresses.
const rulePlainHTTP = "plain http"

// BlockedError is returned for a connection that the policy refused.
// Nothing was sent. errors.Is(err, providers.Blocked) holds.
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
	return text + "; " + setting.EgressAllow.String() + " can allow it"
}

// Fix tells what to do about it.
func (e *BlockedError) Fix() string { return Fix([]*BlockedError{e}) }

// Fix tells what to do about connections that the policy refused.
// There must be one at least.
func Fix(blocked []*BlockedError) string {
	var networks []string
	for _, e := range blocked {
		if !e.Always {
			networks = append(networks, netip.PrefixFrom(e.Addr, e.Addr.BitLen()).String())
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
	return network.Masked(), err
}
