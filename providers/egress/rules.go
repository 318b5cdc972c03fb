package egress

import "net/netip"

type rule struct {
	net    netip.Prefix
	name   string
	always bool // no setting allows it
}

// lookup finds the first rule that covers an address. If the address
// has an IPv4 address inside, rules that no setting can change also
// apply to that one: allowing a translator must not open the metadata
// service behind it.
func lookup(addr netip.Addr) (rule, bool) {
	var found rule
	for _, r := range rules() {
		if r.net.Contains(addr) {
			found = r
			break
		}
	}
	if inner, ok := embedded(addr); ok && !found.always {
		if r, ok := lookup(inner); ok && r.always {
			return r, true
		}
	}
	return found, found.name != ""
}

// embedded returns the IPv4 address inside a NAT64 (RFC 6052) or 6to4
// (RFC 3056) address.
func embedded(addr netip.Addr) (netip.Addr, bool) {
	b := addr.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(addr):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case netip.MustParsePrefix("2002::/16").Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}

// rules returns the table. Narrow networks come before the wide ones
// that contain them. Sources: the IANA special-purpose address
// registries (RFC 6890) and the metadata addresses that the clouds
// document.
func rules() []rule {
	always := func(net, name string) rule {
		return rule{netip.MustParsePrefix(net), name, true}
	}
	byDefault := func(net, name string) rule {
		return rule{netip.MustParsePrefix(net), name, false}
	}
	return []rule{
		always("0.0.0.0/8", "this network"),
		always("100.100.100.200/32", "cloud metadata"), // Alibaba
		always("168.63.129.16/32", "cloud metadata"),   // Azure
		always("169.254.0.0/16", "link-local and cloud metadata"),
		always("224.0.0.0/4", "multicast"),
		always("240.0.0.0/4", "reserved"),
		byDefault("10.0.0.0/8", "private network"),
		byDefault("100.64.0.0/10", "carrier-grade NAT"),
		byDefault("127.0.0.0/8", "loopback"),
		byDefault("172.16.0.0/12", "private network"),
		byDefault("192.0.0.0/24", "protocol assignments"),
		byDefault("192.0.2.0/24", "documentation"),
		byDefault("192.88.99.0/24", "6to4 relay"),
		byDefault("192.168.0.0/16", "private network"),
		byDefault("198.18.0.0/15", "benchmarking"),
		byDefault("198.51.100.0/24", "documentation"),
		byDefault("203.0.113.0/24", "documentation"),
		byDefault("::1/128", "loopback"),
		always("::/96", "unspecified or IPv4-compatible"),
		always("fd00:ec2::/32", "cloud metadata"), // AWS
		always("fe80::/10", "link-local"),
		always("ff00::/8", "multicast"),
		byDefault("64:ff9b::/96", "NAT64"),
		byDefault("64:ff9b:1::/48", "NAT64"),
		byDefault("100::/64", "discard"),
		byDefault("2001::/32", "Teredo"),
		byDefault("2001:db8::/32", "documentation"),
		byDefault("2002::/16", "6to4"),
		byDefault("3fff::/20", "documentation"),
		byDefault("fc00::/7", "private network"),
		byDefault("fec0::/10", "site-local"),
	}
}
