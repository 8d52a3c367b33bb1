package api

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// remoteAddr is the address at the other end of the connection; the zero Addr,
// which is on no list, where there is none.
func remoteAddr(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return plain(ap.Addr())
}

// clientAddr walks X-Forwarded-For from the right, as long as the address that
// wrote an entry is a trusted proxy. An entry that is no address ends the walk
// with the zero Addr.
func clientAddr(remote netip.Addr, h http.Header, proxies []netip.Prefix) netip.Addr {
	var hops []string
	for _, line := range h.Values("X-Forwarded-For") {
		hops = append(hops, strings.Split(line, ",")...)
	}
	addr := remote
	for i := len(hops) - 1; i >= 0 && contains(proxies, addr); i-- {
		addr = parseHop(strings.TrimSpace(hops[i]))
	}
	return addr
}

// parseHop reads an address, as some proxies write it with a port.
func parseHop(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return plain(ap.Addr())
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return plain(addr)
}

func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// isForwarded reports whether a request says that it came through something
// else: a proxy, or a tunnel from the outside to loopback.
func isForwarded(h http.Header) bool {
	for name := range h {
		switch name {
		case "Forwarded", "Via", "X-Real-Ip", "True-Client-Ip", "X-Client-Ip", "X-Cluster-Client-Ip",
			"X-Original-Forwarded-For", "Fastly-Client-Ip", "Fly-Client-Ip":
			return true
		}
		for _, prefix := range []string{"X-Forwarded-", "Cf-", "Cdn-", "Tailscale-", "X-Envoy-", "Ngrok-"} {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
	}
	return false
}
