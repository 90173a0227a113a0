"""What comes out of `make_safe`: nothing that runs, fetches or multiplies."""

from xml.etree.ElementTree import fromstring

import pytest

from service.errors import InvalidError
from service.files.safe_svg import MAX_DEPTH, MAX_ELEMENTS, make_safe

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def safe(inside: str, attributes: str = "") -> str:
    return make_safe(f"{HEAD} {attributes}>{inside}</svg>".encode()).decode()


def test_a_harmless_drawing_keeps_what_it_shows() -> None:
    drawing = (
        '<title>Laurel &amp; leaf</title><linearGradient id="g"><stop offset="0" style="stop-color:#fff"/></linearGradient>'
        "<style>.leaf{fill:rgb(1,2,3)}</style>"
        '<g transform="translate(1 2)" class="leaf"><path d="M0 0h9" fill="url(#g)"/><use xlink:href="#g"/></g>'
        '<text x="1">a<tspan>b</tspan>c</text><image xlink:href="data:image/png;base64,AAAA"/>'
    )
    root = fromstring(safe(drawing, 'viewBox="0 0 9 9"'))
    shown = {element.tag.partition("}")[2] for element in root.iter()}
    assert shown == {"svg", "title", "linearGradient", "stop", "style", "g", "path", "use", "text", "tspan", "image"}
    assert root.get("viewBox") == "0 0 9 9"
    assert "".join(root.itertext()) == "Laurel & leaf.leaf{fill:rgb(1,2,3)}abc"


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>hostile()</script>",
        '<script href="https://hostile.example/x.js"/>',
        '<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">hostile</p></foreignObject>',
        '<rect onclick="hostile()"/>',
        '<a xlink:href="javascript:hostile()"><rect/></a>',
        '<a href="https://hostile.example"><rect/></a>',
        '<image href="https://hostile.example/x.png"/>',
        '<image xlink:href="data:image/svg+xml;base64,hostile"/>',
        '<use href="https://hostile.example/x.svg#y"/>',
        '<use href="data:image/png;base64,hostile"/>',
        '<rect fill="url(https://hostile.example/#x)"/>',
        "<rect style=\"fill:url('https://hostile.example/#x')\"/>",
        '<rect style="background:image-set(&quot;https://hostile.example&quot; 1x)"/>',
        r'<rect style="fill:\75rl(https://hostile.example)"/>',
        '<rect style="fill:/**/url(https://hostile.example)"/>',
        '<style>@import "https://hostile.example";</style>',
        "<style>rect{fill:url(#hostile)}</style>",
        '<feImage href="https://hostile.example"/>',
        '<animate attributeName="href" to="javascript:hostile()"/>',
        '<set attributeName="onload" to="hostile()"/>',
        "<!-- hostile -->",
        "<?hostile?>",
        '<other xmlns="urn:hostile"/>',
        '<rect xmlns:h="urn:hostile" h:attribute="1"/>',
        '<rect xml:base="https://hostile.example"/>',
    ],
)
def test_what_could_run_or_fetch_is_left_out(hostile: str) -> None:
    assert "hostile" not in safe(hostile)


def test_what_is_written_is_read_the_same_way_again() -> None:
    once = safe('<text id="&lt;&quot;&amp;">&lt;script&gt; ]]&gt;</text>')
    assert "<script>" not in once
    assert make_safe(once.encode()).decode() == once


def test_a_doctype_as_drawing_programs_write_it_is_dropped() -> None:
    doctype = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    assert make_safe(f'<?xml version="1.0"?>{doctype}{HEAD}/>'.encode()) == make_safe(f"{HEAD}/>".encode())


@pytest.mark.parametrize(
    "received",
    [
        b"not xml",
        b"<svg/>",
        b'<html xmlns="http://www.w3.org/1999/xhtml"/>',
        f"{HEAD}>".encode(),
        f"<?xml version='1.0' encoding='no-such'?>{HEAD}/>".encode(),
        f'<!DOCTYPE svg [<!ENTITY a "b">]>{HEAD}>&a;</svg>'.encode(),
        f'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>{HEAD}>&a;</svg>'.encode(),
        f'<!DOCTYPE svg [<!ENTITY % a SYSTEM "http://localhost/"> %a;]>{HEAD}/>'.encode(),
    ],
)
def test_what_is_not_plain_svg_is_refused(received: bytes) -> None:
    with pytest.raises(InvalidError) as refused:
        make_safe(received)
    assert refused.value.code == "svg-invalid"


def tenfold(element: str, reference: str) -> str:
    """Seven levels, each drawing the one below it ten times."""
    levels = (f'<{element} id="l{level}">{reference.format(level - 1) * 10}</{element}>' for level in range(1, 8))
    return f'<{element} id="l0"><rect/></{element}>' + "".join(levels)


@pytest.mark.parametrize(
    "inside",
    [
        "<g>" * MAX_DEPTH + "</g>" * MAX_DEPTH,
        "<g/>" * (MAX_ELEMENTS + 1),
        tenfold("g", '<use href="#l{}"/>'),
        tenfold("pattern", '<rect style="fill:url(#l{})"/>'),
        '<g id="a"><use href="#a"/></g>',
        '<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>',
    ],
    ids=["deep", "many", "use-tenfold", "pattern-tenfold", "itself", "circle"],
)
def test_a_drawing_beyond_the_bounds_is_refused(inside: str) -> None:
    with pytest.raises(InvalidError) as refused:
        safe(inside)
    assert refused.value.code == "svg-too-complex"


def test_long_values_are_read_once() -> None:
    """Each would take hours if a pattern went back over it."""
    assert "path" in safe(f'<path d="{"a" * 400_000}"/>')
    assert "style=" not in safe(f'<path style="{"url(" * 100_000}"/>')
    assert "path" in safe(f'<path style="{"calc(" * 100_000}"/>')
