package egress

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

func everything() Policy {
	return Policy{Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}, AllowHTTP: true}
}

// embeddings returns all IPv6 addresses that lead to an IPv4 address in
// a standard way, by the name of the way.
func embeddings(v4 netip.Addr) map[string]netip.Addr {
	a := v4.As4()
	make6 := func(prefix string, places ...int) netip.Addr {
		b := netip.MustParseAddr(prefix).As16()
		for i, place := range places {
			b[place] = a[i]
		}
		return netip.AddrFrom16(b)
	}
	inverted := netip.MustParseAddr("2001:0:102:304::").As16()
	binary.BigEndian.PutUint32(inverted[12:], ^binary.BigEndian.Uint32(a[:]))
	return map[string]netip.Addr{
		"mapped":            make6("::ffff:0:0", 12, 13, 14, 15),
		"translated":        make6("::ffff:0:0:0", 12, 13, 14, 15),
		"NAT64":             make6("64:ff9b::", 12, 13, 14, 15),
		"local NAT64, /48":  make6("64:ff9b:1::", 6, 7, 9, 10),
		"local NAT64, /56":  make6("64:ff9b:1:700::", 7, 9, 10, 11),
		"local NAT64, /64":  make6("64:ff9b:1:707::", 9, 10, 11, 12),
		"local NAT64, /96":  make6("64:ff9b:1:707::", 12, 13, 14, 15),
		"6to4":              make6("2002::1", 2, 3, 4, 5),
		"Teredo server":     make6("2001:0:0:0::fefd:fcfb", 4, 5, 6, 7),
		"Teredo client":     netip.AddrFrom16(inverted),
		"ISATAP":            make6("2606:4700::5efe:0:0", 12, 13, 14, 15),
		"ISATAP, universal": make6("2606:4700::200:5efe:0:0", 12, 13, 14, 15),
	}
}

// The metadata services of clouds give out credentials. Nobody can
// allow them, in whatever form the address is written.
func TestMetadataIsAlwaysRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42",
		"fd00:a9fe:a9fe::1", "fd00:100::100:200", "fe80::a9fe:a9fe", "::169.254.169.254",
	} {
		if err := everything().Check(netip.MustParseAddr(text)); err == nil {
			t.Errorf("%s is allowed", text)
		}
	}
	for _, v4 := range metadataIPv4() {
		all := embeddings(v4)
		own := netip.MustParseAddr("2606:4700:64::").As16() // a translator's own prefix
		copy(own[12:], v4.AsSlice())
		all["own NAT64"], all["itself"] = netip.AddrFrom16(own), v4
		for way, addr := range all {
			for scheme, err := range map[string]error{"https": everything().Check(addr), "http": everything().CheckHTTP(addr)} {
				if err == nil {
					t.Errorf("%s to %s, which is %s, %s, is allowed", scheme, addr, v4, way)
				}
			}
		}
	}
}

// Allowing a translator or a tunnel does not allow the private
// addresses that it leads to: these must be allowed too.
func TestAllowedTranslatorsOpenNothingPrivate(t *testing.T) {
	t.Parallel()
	ipv6 := Policy{Allow: []netip.Prefix{netip.MustParsePrefix("::/0")}}
	withPrivate := Policy{Allow: append(ipv6.Allow, netip.MustParsePrefix("10.1.0.0/16"))}
	for _, way := range []string{"10.1.2.3", "192.168.7.9", "127.0.0.1", "100.64.1.2", "172.20.1.2"} {
		v4 := netip.MustParseAddr(way)
		for way, addr := range embeddings(v4) {
			if err := ipv6.Check(addr); err == nil {
				t.Errorf("%s, which is %s, %s, is allowed", addr, v4, way)
			}
			if err := withPrivate.Check(addr); (err == nil) != (v4.String() == "10.1.2.3") {
				t.Errorf("%s, which is %s, %s, with 10.1.0.0/16 allowed: %v", addr, v4, way, err)
			}
		}
	}
	for way, addr := range embeddings(netip.MustParseAddr("52.219.1.2")) {
		if err := ipv6.Check(addr); err != nil {
			t.Errorf("a public address, %s: %v", way, err)
		}
		if err := (Policy{}).Check(addr); (err == nil) != (way == "mapped" || way == "ISATAP" || way == "ISATAP, universal") {
			t.Errorf("%s by default, %s: %v", addr, way, err)
		}
	}
}

// By default only global unicast is allowed.
func TestReservedNetworksAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"192.0.0.192", "1000::1", "5f00::1", "4000::1", "7fff::1", "8000::1", "fb00::1", "2001:1::1", "2001:20::1"} {
		if err := (Policy{}).Check(netip.MustParseAddr(text)); err == nil {
			t.Errorf("%s is allowed", text)
		}
	}
	for _, text := range []string{"2a00:1450:4001::200e", "2606:4700::1111", "2001:4860:4860::8888", "2600:1f18::a9fe:1"} {
		if err := (Policy{}).Check(netip.MustParseAddr(text)); err != nil {
			t.Error(err)
		}
	}
}
