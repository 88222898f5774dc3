from __future__ import annotations

import pytest

from bot.retrieval.robots import MOST_RULES, Robots


@pytest.mark.parametrize(
    ("text", "target", "may"),
    [
        ("", "/", True),
        ("User-agent: *\nDisallow: /", "/page", False),
        ("User-agent: *\nDisallow:", "/page", True),
        ("User-agent: *\nDisallow: /\nAllow: /page", "/page", True),
        ("User-agent: *\nAllow: /page\nDisallow: /", "/page", True),
        ("User-agent: *\nDisallow: /page\nAllow: /page", "/page", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf?x", True),
        ("User-agent: *\nDisallow: /a$", "/a", False),
        ("User-agent: *\nDisallow: /a$", "/ab", True),
        ("User-agent: *\nDisallow: *secret*", "/x/secret/y", False),
        ("User-agent: *\nDisallow: /a*a$", "/a", True),
        ("User-agent: paring\nAllow: /\n\nUser-agent: *\nDisallow: /", "/page", True),
        ("User-agent: PARING\nDisallow: /", "/page", False),
        ("User-agent: par\nDisallow: /", "/page", True),
        ("User-agent: paringbot\nDisallow: /", "/page", True),
        ("User-agent: other\nUser-agent: Paring\nDisallow: /x", "/x", False),
        ("User-agent: Paring\nDisallow: /a\n\nUser-agent: Paring\nDisallow: /b", "/b", False),
        ("\ufeffUser-agent: *\r\nDisallow: /x # why", "/x", False),
        ("Disallow: /\nUser-agent: other\nDisallow: /", "/", True),
        ("user-agent : *\ndisallow : /x", "/x", False),
        ("User-agent: *\nCrawl-delay: 1\nDisallow: /x", "/x", False),
        ("User-agent: *\nDisallow: /길", "/%EA%B8%B8/a", False),
        ("User-agent: *\nDisallow: /%7ejoe", "/~joe/x", False),
        ("User-agent: *\nDisallow: /a%2fb", "/a/b", True),
        ("User-agent: *\nDisallow: /x?y=", "/x?y=1", False),
        ("<html><body>Not found: /</body></html>", "/", True),
    ],
)
def test_the_rules_are_read_as_the_standard_says(text: str, target: str, may: bool) -> None:
    assert Robots.parse(text).allows("Paring", target) == may


def test_a_file_of_rules_without_end_is_read_in_part() -> None:
    text = "User-agent: *\n" + "Disallow: /x*x*x*x\n" * 3 * MOST_RULES
    robots = Robots.parse(text)
    assert sum(len(rules) for _agent, rules in robots.groups) == MOST_RULES
    assert robots.allows("Paring", "/" + "x" * 3)
