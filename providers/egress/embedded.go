package egress

import (
	"net/netip"
	"slices"
)

// inside returns the IPv4 addresses that an IPv6 address leads to by a
// standard way of translation or of tunnels. A relay or translator on
// the workers' network would pass packets on to them.
func inside(addr netip.Addr) []netip.Addr {
	b := addr.As16()
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }
	switch {
	case addr.Is4():
		return nil
	case within(addr, "64:ff9b::/96"), within(addr, "::ffff:0:0:0/96"): // NAT64, SIIT
		return []netip.Addr{at(12)}
	case within(addr, localNAT64):
		return likely(readings(addr), b)
	case within(addr, "2002::/16"): // 6to4, RFC 3056
		return []netip.Addr{at(2)}
	case within(addr, "2001::/32"): // Teredo, RFC 4380: the server, and the client inverted
		client := [4]byte{^b[12], ^b[13], ^b[14], ^b[15]}
		return []netip.Addr{at(4), netip.AddrFrom4(client)}
	case b[8]&^0x03 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe: // ISATAP, RFC 5214
		return []netip.Addr{at(12)}
	}
	return nil
}

// localNAT64 is for translators within a network. Its operator chooses
// the length of their prefix (RFC 8215).
const localNAT64 = "64:ff9b:1::/48"

// reading is an IPv4 address that a translator could see in an IPv6
// address, and the first of the bytes that must be zero behind it.
type reading struct {
	addr netip.Addr
	end  int
}

// readings returns what a translator could see in an IPv6 address, by
// the length of its prefix (RFC 6052, section 2.2). Outside of
// localNAT64 only prefixes of 96 bits are taken into account.
func readings(addr netip.Addr) []reading {
	b := addr.As16()
	read := func(i, j, k, l int) reading {
		return reading{netip.AddrFrom4([4]byte{b[i], b[j], b[k], b[l]}), l + 1}
	}
	last := read(12, 13, 14, 15)
	switch {
	case addr.Is4():
		return nil
	case within(addr, localNAT64):
		return []reading{read(6, 7, 9, 10), read(7, 9, 10, 11), read(9, 10, 11, 12), last}
	}
	return []reading{last}
}

// likely returns the addresses of the readings that are well formed and
// are addresses of hosts. There may be several.
func likely(all []reading, b [16]byte) (addrs []netip.Addr) {
	for _, r := range all {
		a := r.addr.As4()
		switch {
		case slices.ContainsFunc(b[r.end:], func(c byte) bool { return c != 0 }):
		case a[0] == 0, a[0] >= 224, a[1] == 0 && a[2] == 0 && a[3] == 0: // no host
		default:
			addrs = append(addrs, r.addr)
		}
	}
	return addrs
}

// hasMetadata reports whether a translator could see the address of a
// metadata service in an address, also in one that is not known to be
// translated: any network can have a translator of its own.
func hasMetadata(addr netip.Addr) bool {
	return slices.ContainsFunc(readings(addr), func(r reading) bool {
		return slices.Contains(metadataIPv4(), r.addr)
	})
}

// metadataIPv4 returns the addresses at which clouds serve metadata and
// credentials to their machines and containers.
func metadataIPv4() []netip.Addr {
	var all []netip.Addr
	for _, text := range []string{
		"169.254.169.254", // most clouds
		"169.254.170.2",   // AWS ECS
		"169.254.170.23",  // AWS EKS
		"169.254.0.23",    // Tencent
		"169.254.10.10",   // Tencent
		"169.254.42.42",   // Scaleway
		"100.100.100.200", // Alibaba
		"168.63.129.16",   // Azure
		"192.0.0.192",     // Oracle
	} {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

func within(addr netip.Addr, network string) bool {
	return netip.MustParsePrefix(network).Contains(addr)
}
