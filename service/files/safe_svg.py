"""Make SVG from strangers safe: remove all that is not known to be harmless.

The drawing is parsed without entities and written again from an allow-list of elements and attributes. No script, no
event handler, no HTML inside, no animation, nothing fetched from outside. References stay inside the drawing, and what
they multiply is counted.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from service.errors import InvalidError

SVG = "http://www.w3.org/2000/svg"
XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
MAX_ELEMENTS = 20_000
MAX_DEPTH = 64

# Lists of words: if each were quoted (as SIM905 wants), they could not be read.
ELEMENTS = frozenset(
    """
    svg g defs symbol use switch title desc style path rect circle ellipse line polyline polygon text tspan textPath
    image linearGradient radialGradient stop clipPath mask pattern marker filter feBlend feColorMatrix
    feComponentTransfer feComposite feDiffuseLighting feDisplacementMap feDistantLight feDropShadow feFlood feFuncA
    feFuncB feFuncG feFuncR feGaussianBlur feMerge feMergeNode feMorphology feOffset fePointLight feSpecularLighting
    feSpotLight feTile feTurbulence
    """.split()  # noqa: SIM905
)
ATTRIBUTES = frozenset(
    """
    id class style version viewBox preserveAspectRatio width height x y x1 y1 x2 y2 cx cy r rx ry fx fy fr d points
    pathLength transform dx dy rotate textLength lengthAdjust startOffset method spacing side offset gradientUnits
    gradientTransform spreadMethod clipPathUnits maskUnits maskContentUnits patternUnits patternContentUnits
    patternTransform markerUnits markerWidth markerHeight refX refY orient filterUnits primitiveUnits in in2 result
    mode type values operator k1 k2 k3 k4 stdDeviation edgeMode radius baseFrequency numOctaves seed stitchTiles
    tableValues slope intercept amplitude exponent scale xChannelSelector yChannelSelector surfaceScale
    diffuseConstant specularConstant specularExponent kernelUnitLength azimuth elevation z pointsAtX pointsAtY
    pointsAtZ limitingConeAngle role aria-label aria-hidden aria-labelledby lang
    alignment-baseline baseline-shift clip-path clip-rule color color-interpolation color-interpolation-filters
    direction display dominant-baseline enable-background fill fill-opacity fill-rule filter flood-color flood-opacity
    font-family font-size font-size-adjust font-stretch font-style font-variant font-weight isolation letter-spacing
    lighting-color marker-end marker-mid marker-start mask mask-type mix-blend-mode opacity overflow paint-order
    shape-rendering stop-color stop-opacity stroke stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin
    stroke-miterlimit stroke-opacity stroke-width text-anchor text-decoration text-rendering transform-origin
    unicode-bidi vector-effect visibility word-spacing writing-mode
    """.split()  # noqa: SIM905
)
# Every function that a style may call; image-set(), src() and others fetch. A bare bracket calls no function.
FUNCTIONS = frozenset(
    """
    rgb rgba hsl hsla calc matrix translate translatex translatey scale scalex scaley rotate skewx skewy
    not is where nth-child nth-of-type
    """.split()  # noqa: SIM905
) | {""}
_NAME = re.compile(r"[\w-]*\Z")
_LOCAL = re.compile(r"""\s*(['"]?)#[^'"\s()]+\1\s*""")
_RASTER = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+", re.IGNORECASE)
_FRAGMENT = re.compile(r"#([^\s]+)")


def make_safe(received: bytes) -> bytes:
    """Return the drawing as UTF-8 with only what is known to be harmless.

    Everything else is left out.

    Raises:
        InvalidError: not well-formed SVG, or with entities (code "svg-invalid"); too many elements, too deep, or
            multiplied by references beyond the bound (code "svg-too-complex").
    """
    try:
        # Drawing programs write a DOCTYPE, so one may stand there; nothing may be declared in it, and it is not kept.
        root = fromstring(received, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise InvalidError("svg-invalid", "Expected well-formed SVG without entities.") from error
    if root.tag != f"{{{SVG}}}svg":
        raise InvalidError("svg-invalid", "Expected an svg element in the SVG namespace.")
    safe = Element("svg", {"xmlns": SVG, "xmlns:xlink": "http://www.w3.org/1999/xlink", **_attributes(root)})
    count = 0
    open_elements = [(root, safe, 1)]
    while open_elements:
        source, target, depth = open_elements.pop()
        # A style sheet must not refer to anything: what it multiplies could not be counted.
        if target.tag != "style" or _harmless(source.text or "", references=False):
            target.text = source.text
        for child in source:
            name = _name(child)
            if name is None:
                continue
            count += 1
            if count > MAX_ELEMENTS or depth >= MAX_DEPTH:
                raise _too_complex()
            copy = Element(name, _attributes(child))
            copy.tail = child.tail
            target.append(copy)
            open_elements.append((child, copy, depth + 1))
    _bound_references(safe)
    return bytes(tostring(safe, encoding="utf-8"))


def _name(element: Element) -> str | None:
    """Return the element's name if it is allowed; a link is kept as a group."""
    tag = element.tag
    if not isinstance(tag, str) or not tag.startswith(f"{{{SVG}}}"):
        return None
    name = tag.removeprefix(f"{{{SVG}}}")
    return "g" if name == "a" else name if name in ELEMENTS else None


def _attributes(element: Element) -> dict[str, str]:
    kept = {name: value for name, value in element.attrib.items() if name in ATTRIBUTES and _harmless(value)}
    reference = element.get("href") or element.get(XLINK_HREF)
    if reference is not None and (
        _FRAGMENT.fullmatch(reference) or (element.tag == f"{{{SVG}}}image" and _RASTER.fullmatch(reference))
    ):
        kept["xlink:href"] = reference
    return kept


def _harmless(value: str, *, references: bool = True) -> bool:
    """Return whether a style or attribute value fetches nothing.

    With `references`, it may refer to this drawing.
    """
    if any(sign in value for sign in ("\\", "@", "<", "/*")) or "javascript:" in value.lower():
        return False
    for before, after in pairwise(value.split("(")):
        called = _NAME.search(before[-40:].rstrip())
        name = called[0].lower() if called else ""
        local = references and name == "url" and _LOCAL.fullmatch(after.partition(")")[0])
        if not local and name not in FUNCTIONS:
            return False
    return True


def _bound_references(root: Element) -> None:
    """Refuse a drawing whose references draw too much, or run in a circle."""
    by_id = {element.get("id"): element for element in root.iter() if element.get("id")}
    sizes: dict[Element, int] = {}
    # Post-order on a stack of our own: references can be nested as deep as their author likes.
    stack: list[tuple[Element, Iterator[Element]]] = []
    entered: set[Element] = set()

    def enter(element: Element) -> None:
        if element in entered:
            raise _too_complex()
        entered.add(element)
        stack.append((element, iter(_drawn_by(element, by_id))))

    enter(root)
    while stack:
        element, following = stack[-1]
        for other in following:
            if other not in sizes:
                enter(other)
                break
        else:
            stack.pop()
            entered.discard(element)
            sizes[element] = 1 + sum(sizes[other] for other in _drawn_by(element, by_id))
            if sizes[element] > MAX_ELEMENTS:
                raise _too_complex()


def _drawn_by(element: Element, by_id: dict[str | None, Element]) -> list[Element]:
    """Return what is drawn at this element.

    That is its children, and what its attributes refer to.
    """
    names = [match[1] for match in (_FRAGMENT.fullmatch(element.get("xlink:href") or ""),) if match]
    for name in ("style", "fill", "stroke", "filter", "mask", "clip-path", "marker-start", "marker-mid", "marker-end"):
        names += re.findall(r"""url\(\s*['"]?#([^'"\s()]+)""", element.get(name) or "")
    return [*element, *(by_id[name] for name in names if name in by_id)]


def _too_complex() -> InvalidError:
    return InvalidError(
        "svg-too-complex",
        f"Expected SVG of at most {MAX_ELEMENTS} elements, references followed, {MAX_DEPTH} deep and without circles.",
    )
