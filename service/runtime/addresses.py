"""Which IP addresses are on the public internet.

Strangers may make this service call no others.

For IPv6 this is a list of what is allowed, minus what is special in it: a range that is assigned to a new purpose next
year is refused until somebody reads about it here. Python's `is_global` is asked too, but does not suffice. In 3.11 it
calls several of these ranges global.

Spec: IANA IPv4 and IPv6 Special-Purpose Address Registries.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

SPECIAL_IPV4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # a public address by which machines in Azure reach the host that they run on
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
UNICAST_IPV6 = IPv6Network("2000::/3")
"""What IANA gives to networks on the public internet; all that is special lies outside, or below."""
SPECIAL_IPV6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocols, Teredo among them, which wraps an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4 wraps an IPv4 address
        "2620:4f:8000::/48",
        "3ffe::/16",
        "3fff::/20",
    )
)
NAT64 = IPv6Network("64:ff9b::/96")
"""How a machine without IPv4 reaches an IPv4 address: the last 32 bits are that address (RFC 6052)."""


def is_public(text: str) -> bool:
    """Return whether an address may be called: it is on the public internet."""
    address = _plain(text)
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in SPECIAL_IPV4)
    if isinstance(address, IPv6Address):
        special = any(address in network for network in SPECIAL_IPV6)
        return address in UNICAST_IPV6 and address.is_global and not special
    return False


def is_loopback(text: str) -> bool:
    """Return whether an address is this machine's own."""
    address = _plain(text)
    return address is not None and address.is_loopback


def _plain(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that is called; of one that stands for an IPv4 address, the IPv4 address."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
        return address.ipv4_mapped or address
    return address
