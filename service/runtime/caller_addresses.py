"""Addresses of callers, and as which networks a caller is counted.

Spec: RFC 4291, 2.5.5.2 (IPv4 in IPv6); RFC 3056 (6to4); RFC 4380 (Teredo); RFC 6052 (NAT64).
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

NAT64 = IPv6Network("64:ff9b::/96")
SITE_SHARES = 4
"""How many allowances a /48 has: it may be a school, or one customer of a hoster with 65,536 networks."""


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a text stands for; None if it is no address.

    A zone is left out: it names an interface of this machine. A socket for both versions of IP shows an IPv4 caller as
    `::ffff:192.0.2.1`.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def counted_as(text: str) -> list[tuple[str, int]]:
    """Return the names under which a caller is counted, each with how many allowances it has.

    Someone who has one IPv6 address has all of its /64. Many have all of its /48, and would otherwise have 65,536
    allowances.
    """
    address = address_of(text)
    if address is None:
        return [(text, 1)]
    address = _behind(address)
    if isinstance(address, IPv4Address):
        return [(str(address), 1)]
    return [(f"{int(address) >> 128 - bits:x}/{bits}", shares) for bits, shares in ((64, 1), (48, SITE_SHARES))]


def _behind(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address whose owner has this IPv6 address.

    Otherwise that owner would be counted twice, and all who come through one translator as one.
    """
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.sixtofour or (address.teredo[1] if address.teredo else address)
