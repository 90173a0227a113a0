"""Which addresses are public: the IANA special-purpose registries, range by range."""

import pytest

from service.runtime.addresses import is_loopback, is_public

pytestmark = pytest.mark.any_database("an address is no row")

SPECIAL = [
    "0.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "127.0.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "172.31.0.1",
    "192.0.0.8",
    "192.0.0.9",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::93.184.216.34",
    "::ffff:127.0.0.1",
    "::ffff:0:93.184.216.34",
    "64:ff9b::127.0.0.1",
    "64:ff9b::192.88.99.1",
    "64:ff9b:1::93.184.216.34",
    "100::1",
    "100:0:0:1::1",
    "200::1",
    "1fff:ffff::1",
    "2001::1",
    "2001:0:5db8:d822::1",
    "2001:1::1",
    "2001:2::1",
    "2001:3::1",
    "2001:4:112::1",
    "2001:10::1",
    "2001:20::1",
    "2001:30::1",
    "2001:db8::1",
    "2002:5db8:d822::1",
    "2002:a00:1::1",
    "2620:4f:8000::1",
    "3ffe::1",
    "3fff::1",
    "3fff:fff:ffff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "feff::1",
    "ff02::1",
    "ff0e::1",
    "",
    "issuer.example",
    "1.2.3",
]


@pytest.mark.parametrize("address", SPECIAL)
def test_an_address_of_a_special_range_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34",
        "192.88.98.1",
        "198.20.0.1",
        "::ffff:93.184.216.34",
        "64:ff9b::93.184.216.34",
        "2001:200::1",
        "2606:2800:220:1::1",
        "2a00:1450:4001::1",
        "3fff:1000::1",
    ],
)
def test_an_address_that_is_given_to_networks_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::127.0.0.1", False),
        ("10.0.0.1", False),
        ("localhost", False),
    ],
)
def test_loopback_is_this_machine_only(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback
