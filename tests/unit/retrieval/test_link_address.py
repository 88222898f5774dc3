from __future__ import annotations

import pytest

from bot.errors import RefusedLinkError
from bot.retrieval.link_address import Link, host_of, is_public, may_be_inside, parse


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("https://Example.ORG", "https://example.org/"),
        ("http://example.org./a b?q=c d#there", "http://example.org/a%20b?q=c%20d"),
        ("https://example.org:443/a%20b", "https://example.org/a%20b"),
        ("http://example.org:8080/", "http://example.org:8080/"),
        ("https://한국.kr/길?q=가", "https://xn--3e0b707e.kr/%EA%B8%B8?q=%EA%B0%80"),
        ("https://faß.de/", "https://xn--fa-hia.de/"),
        ("http://[2606:2800:220:1::1]/", "http://[2606:2800:220:1::1]/"),
        ("http://example.org/\ufffd", "http://example.org/%EF%BF%BD"),
        ("http://example.org/a\\..\\b", "http://example.org/a%5C..%5Cb"),
    ],
)
def test_a_link_has_one_spelling(typed: str, read: str) -> None:
    assert str(parse(typed)) == read


@pytest.mark.parametrize(
    "typed",
    [
        "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://127.0.0.1.1/",
        "http://017700000001/", "http://1.2.3.256/", "http://0x/", "http://1.2.3.08/", "http://example.0x7f/",
        "http://a%40b/", "http://%31%32%37.0.0.1/", "http://127.0.0.1%00.example.org/", "http://a..b/", "http://a.org../", "http://-a.org/",
        "http://a_b-.org/", "http://ex ample.org/", "http://[::1%25lo]/", "http://[fe80::1%eth0]/", "http://[::1", "http://[v1.a]/",
        "http://[127.0.0.1]/", "http://a.org:x/", "http://a.org:99999/", "http://a.org:٨٠/", "http://a:b:c/",
        "http://ann@example.org/", "http://@example.org/", "http://a@b@example.org/", "http://example.org\\@127.0.0.1/",
        "http://exa\tmple.org/", "http://example.org/\r\nHost: inside", "http://example.org/\x00", "http://example.org\\.evil.org/",
        "http:\\\\127.0.0.1/", "//example.org/", "http:///etc/passwd", "http:example.org", "ftp://example.org/", "file:///etc/passwd",
        "gopher://example.org/", "javascript:alert(1)", "data:text/html,x", "no link", "", "http://" + "a" * 64 + ".org/",
        "http://" + "a." * 130 + "org/", "http://example.org/" + "x" * 9000, "http://℀.org/", "http://a／b/", "http://１２７.１/",
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_is_refused(typed: str) -> None:
    with pytest.raises(RefusedLinkError):
        parse(typed)


@pytest.mark.parametrize("typed", ["http://１２７.０.０.１/", "http://127。0。0。1/", "http://①②⑦.0.0.1/"])
def test_signs_that_mean_an_address_are_read_as_one(typed: str) -> None:
    assert parse(typed).is_literal
    assert not is_public(parse(typed).host)


@pytest.mark.parametrize(
    "name",
    ["localhost", "localhost.", "a.localhost", "ⓛocalhost", "printer", "nas.local", "metadata.google.internal", "wiki.corp", "x.home.arpa",
     "1.0.0.127.in-addr.arpa", "ip6-localhost", "router.lan", "hidden.onion"],
)  # fmt: skip
def test_a_name_that_no_public_site_has_is_known_without_asking(name: str) -> None:
    assert parse(f"http://{name}/").is_inside


def test_a_public_name_is_not_inside() -> None:
    assert not parse("https://local.example.org/").is_inside
    assert not parse("https://93.184.215.14/").is_inside


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.0.0.170", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.1.1", "192.175.48.1",
        "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::a00:1", "64:ff9b:1::808:808", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1",
        "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "3fff::1", "5f00::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fe80::1",
        "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "4000::1", "no address", "",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_none(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "1.1.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1", "223.255.255.255", "2606:2800:220:1:248:1893:25c8:1946",
     "2001:4860:4860::8888", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::5db8:d70e"],
)  # fmt: skip
def test_a_public_address_is_one(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("address", "may"),
    [("10.0.0.5", True), ("127.0.0.1", True), ("fd00::5", True), ("93.184.215.14", True), ("169.254.169.254", False), ("0.0.0.0", False),
     ("::", False), ("fe80::1", False), ("224.0.0.1", False), ("255.255.255.255", False), ("::ffff:169.254.169.254", False), ("x", False)],
)  # fmt: skip
def test_a_site_of_a_house_is_not_where_no_site_is(address: str, may: bool) -> None:
    assert may_be_inside(address) == may


@pytest.mark.parametrize(
    ("location", "leads"),
    [("/b", "https://example.org/b"), ("b?c", "https://example.org/a/b?c"), ("//other.org/x", "https://other.org/x"),
     ("http://other.org", "http://other.org/"), ("?q", "https://example.org/a/p?q"), ("#x", "https://example.org/a/p")],
)  # fmt: skip
def test_a_redirect_is_read_as_a_link(location: str, leads: str) -> None:
    assert str(parse("https://example.org/a/p").follow(location)) == leads


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "gopher://x.org/", "//a@b/", "http://x.org\r\nX: y", "\\\\127.1\\x", "http://0x7f.1/"]
)
def test_a_redirect_to_no_link_is_refused(location: str) -> None:
    link = parse("https://example.org/a")
    try:
        assert link.follow(location).host == "example.org"  # a backslash is a part of the path, as RFC 3986 has it
    except RefusedLinkError:
        return
    assert location.startswith("\\\\")


def test_a_host_is_told_with_its_port_where_that_is_not_the_usual_one() -> None:
    assert Link("https", "example.org", 443, "/").site == "example.org"
    assert Link("https", "fd00::5", 8443, "/").site == "[fd00::5]:8443"
    assert host_of("FD00::0005") == "fd00::5"
