package egress

import "net/netip"

type rule struct {
	net    netip.Prefix
	name   string
	always bool // no setting allows it
}

const ruleMetadata = "cloud metadata"

// lookup finds the first rule that covers an address itself.
func lookup(addr netip.Addr) (rule, bool) {
	for _, r := range rules() {
		if r.net.Contains(addr) {
			return r, true
		}
	}
	return rule{}, false
}

func always(net, name string) rule { return rule{netip.MustParsePrefix(net), name, true} }

func byDefault(net, name string) rule { return rule{netip.MustParsePrefix(net), name, false} }

// rules returns the table. Narrow networks come before the wide ones
// that contain them. Sources: the IANA special-purpose address
// registries (RFC 6890) and the metadata addresses that the clouds
// document.
func rules() []rule { return append(ipv4Rules(), ipv6Rules()...) }

func ipv4Rules() []rule {
	return []rule{
		always("0.0.0.0/8", "this network"),
		always("100.100.100.200/32", ruleMetadata), // Alibaba
		always("168.63.129.16/32", ruleMetadata),   // Azure
		always("192.0.0.192/32", ruleMetadata),     // Oracle
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
	}
}

func ipv6Rules() []rule {
	return []rule{
		byDefault("::1/128", "loopback"),
		always("::/96", "unspecified or IPv4-compatible"),
		always("fd00:ec2::/32", ruleMetadata),          // AWS
		always("fd20:ce::254/128", ruleMetadata),       // Google
		always("fd00:c1::a9fe:a9fe/128", ruleMetadata), // Oracle
		always("fd00:42::42/128", ruleMetadata),        // Scaleway
		always("fd00:a9fe:a9fe::1/128", ruleMetadata),  // Akamai
		always("fd00:100::100:200/128", ruleMetadata),  // Alibaba
		always("fe80::/10", "link-local"),
		always("ff00::/8", "multicast"),
		byDefault("::ffff:0:0:0/96", "IPv4-translated"),
		byDefault("64:ff9b::/96", "NAT64"),
		byDefault("64:ff9b:1::/48", "NAT64"),
		byDefault("100::/64", "discard"),
		byDefault("2001::/32", "Teredo"),
		byDefault("2001::/23", "protocol assignments"),
		byDefault("2001:db8::/32", "documentation"),
		byDefault("2002::/16", "6to4"),
		byDefault("3fff::/20", "documentation"),
		byDefault("fc00::/7", "private network"),
		byDefault("fec0::/10", "site-local"),
		byDefault("::/3", notGlobal), // global addresses are in 2000::/3
		byDefault("4000::/2", notGlobal),
		byDefault("8000::/1", notGlobal),
	}
}

const notGlobal = "no global address"
