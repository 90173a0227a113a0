import contextlib
import json
import struct
import sys
import zlib
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.bake import MAX_IMAGE_BYTES, bake, extract, is_image, media_type
from credentials.errors import ImageError, MalformedError

JWT = "eyJhbGciOiJFUzI1NiJ9.eyJpZCI6InVybjoxIn0.c2lnbmF0dXJl"
CREDENTIAL = json.dumps({"id": "urn:1", "name": "Gutes & Schönes ]]> <&> 徽章 \ufffe"}, ensure_ascii=False)
NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
SVG_NAMESPACE = "http://www.w3.org/2000/svg"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + chunk(b"IEND", b"")


def itxt(keyword: bytes, text: bytes, flags: bytes = b"\0\0\0\0") -> bytes:
    return chunk(b"iTXt", keyword + b"\0" + flags + text)


def chunks_of(image: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset = 8
    while offset < len(image):
        length = int.from_bytes(image[offset : offset + 4])
        yield image[offset + 4 : offset + 8], image[offset + 8 : offset + 8 + length]
        offset += 12 + length


def svg(inside: str = "<g/>", attributes: str = "", before: str = "") -> bytes:
    return f'{before}<svg xmlns="{SVG_NAMESPACE}"{attributes}>{inside}</svg>'.encode()


IMAGES = {
    "png": png(chunk(b"tEXt", b"Comment\0x")),
    "svg": svg(before='<?xml version="1.0" encoding="UTF-8"?>\n<!-- <svg> -->'),
    "prefixed svg": f'<s:svg xmlns:s="{SVG_NAMESPACE}"><s:g/></s:svg>'.encode(),
    "empty svg": f'<svg xmlns="{SVG_NAMESPACE}" />'.encode(),
    "svg with >": svg(attributes=" id='a>b' class=\"/>\""),
    "svg with the older prefix": svg(attributes=' xmlns:openbadges="http://openbadges.org"'),
    "svg with the prefix": svg(attributes=f' xmlns:openbadges="{NAMESPACE}"'),
    "svg with a mark": b"\xef\xbb\xbf" + svg(),
}
every_image = pytest.mark.parametrize("image", IMAGES.values(), ids=list(IMAGES))


def code_of(image: bytes) -> str:
    with pytest.raises(ImageError) as raised:
        extract(image)
    return raised.value.code


# --- Both kinds ---


@every_image
@pytest.mark.parametrize("text", [JWT, CREDENTIAL, "{}"], ids=["jwt", "json", "least"])
def test_what_is_baked_in_comes_out(image: bytes, text: str) -> None:
    baked = bake(image, text)
    assert json.loads(extract(baked)) == json.loads(text) if text != JWT else extract(baked) == JWT
    assert media_type(baked) == media_type(image)


@every_image
def test_baking_again_replaces_what_was_there(image: bytes) -> None:
    once = bake(image, CREDENTIAL)
    assert bake(bake(image, JWT), CREDENTIAL) == once
    assert bake(once, CREDENTIAL) == once
    assert extract(bake(once, JWT)) == JWT


@every_image
def test_a_picture_without_a_credential_is_named(image: bytes) -> None:
    assert code_of(image) == "image-without-credential"


@pytest.mark.parametrize("image", [b"", b"GIF89a", b"{}", JWT.encode(), b"\x89PNG\r\n\x1a", b"\xff\xd8\xff\xe0"])
def test_what_is_no_picture_is_refused(image: bytes) -> None:
    assert not is_image(image)
    assert code_of(image) == "image-unsupported"
    with pytest.raises(ImageError):
        bake(image, JWT)


def test_a_picture_beyond_the_bound_is_refused() -> None:
    assert code_of(svg("<g/>" + " " * MAX_IMAGE_BYTES)) == "image-too-large"


@pytest.mark.parametrize("text", ["", "a.b", '{"a": 1, "a": 2}', "{", "]]><script/>", 'a.b.c" x="'])
def test_only_a_jwt_or_strict_json_is_baked(text: str) -> None:
    for image in IMAGES.values():
        with pytest.raises(MalformedError):
            bake(image, text)


@given(st.sampled_from(list(IMAGES.values())), st.dictionaries(st.text(), st.text()))
def test_any_json_comes_out_as_it_went_in(image: bytes, members: dict[str, str]) -> None:
    text = json.dumps(members, ensure_ascii=False)
    assert json.loads(extract(bake(image, text))) == members


@given(st.sampled_from(list(IMAGES.values())), st.data())
def test_a_damaged_picture_never_gives_more_than_an_error(image: bytes, data: st.DataObject) -> None:
    baked = bytearray(bake(image, CREDENTIAL))
    for _ in range(data.draw(st.integers(1, 3))):
        baked[data.draw(st.integers(0, len(baked) - 1))] = data.draw(st.integers(0, 255))
    del baked[data.draw(st.integers(0, len(baked))) :]
    for act in (extract, lambda image: bake(image, JWT)):
        with contextlib.suppress(ImageError):
            act(bytes(baked))


# --- PNG ---


def test_the_credential_is_one_uncompressed_chunk_before_the_pixels() -> None:
    baked = list(chunks_of(bake(IMAGES["png"], CREDENTIAL)))
    assert [kind for kind, _ in baked] == [b"IHDR", b"iTXt", b"tEXt", b"IDAT", b"IEND"]
    assert baked[1][1] == b"openbadgecredential\0\0\0\0\0" + CREDENTIAL.encode()


def test_language_and_translated_keyword_are_passed_over() -> None:
    assert extract(png(itxt(b"openbadgecredential", JWT.encode(), b"\0\0de\0Abzeichen\0"))) == JWT


@pytest.mark.parametrize(
    "older",
    [
        itxt(b"openbadges", JWT.encode()),
        itxt(b"clrcredential", JWT.encode()),
        chunk(b"tEXt", b"openbadges\0" + JWT.encode()),
    ],
)
def test_older_keywords_are_read_where_there_is_no_newer_and_replaced(older: bytes) -> None:
    assert extract(png(older)) == JWT
    assert extract(png(older, itxt(b"openbadgecredential", b"{}"))) == "{}"
    assert bake(png(older), "{}") == bake(png(), "{}")


def test_of_several_of_open_badges_2_0_the_first_in_unicode_counts() -> None:
    address = chunk(b"tEXt", b"openbadges\0https://old.example/1")
    assert extract(png(address, address)) == "https://old.example/1"
    assert extract(png(address, itxt(b"openbadges", JWT.encode()), itxt(b"openbadges", b"{}"))) == JWT
    older = [element(verify=token, namespace="http://openbadges.org", name="assertion") for token in (JWT, "a.b.c")]
    assert extract(svg("".join(older))) == JWT


def test_text_after_the_end_of_the_picture_is_not_read() -> None:
    assert code_of(png() + itxt(b"openbadgecredential", JWT.encode())) == "image-without-credential"
    assert bake(png() + b"more", JWT) == bake(png(), JWT)


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (png(itxt(b"openbadgecredential", b"{}"), itxt(b"openbadgecredential", b"{}")), "image-two-credentials"),
        (png(itxt(b"openbadges", b"{}"), itxt(b"clrcredential", b"{}")), "image-two-credentials"),
        (png(itxt(b"openbadgecredential", zlib.compress(b"{}"), b"\1\0\0\0")), "image-malformed"),
        (png(chunk(b"iTXt", b"openbadgecredential\0\0\0\0")), "image-malformed"),
        (png(chunk(b"iTXt", b"openbadgecredential")), "image-malformed"),
        (png(itxt(b"openbadgecredential", b"\xff\xfe")), "image-malformed"),
        (png(chunk(b"tEXt", b"openbadgecredential\0{}")), "image-without-credential"),
        (png()[:-1], "image-malformed"),
        (png()[:-12], "image-malformed"),
        (png()[:8], "image-malformed"),
        (png()[:8] + png()[33:], "image-malformed"),
        (png(chunk(b"IHDR", bytes(13))), "image-malformed"),
        (png()[:29] + b"\0\0\0\0" + png()[33:], "image-malformed"),
        (png(b"\xff\xff\xff\xffiTXt" + bytes(40)), "image-malformed"),
        (png(chunk(b"IDAT", b"") * 100_000), "image-too-large"),
    ],
    ids=range(15),
)
def test_one_fault_of_a_png_has_its_name(image: bytes, code: str) -> None:
    assert code_of(image) == code


# --- SVG ---


def test_json_stands_in_the_element_and_a_jwt_in_its_attribute() -> None:
    root = ET.fromstring(bake(IMAGES["svg"], CREDENTIAL))
    assert root[0].tag == f"{{{NAMESPACE}}}credential"
    assert "verify" not in root[0].attrib
    assert json.loads(root[0].text or "") == json.loads(CREDENTIAL)
    root = ET.fromstring(bake(IMAGES["svg"], JWT))
    assert root[0].attrib == {"verify": JWT}
    assert root[0].text is None


def test_the_drawing_around_the_credential_keeps_every_byte() -> None:
    image = IMAGES["svg"]
    cut = image.index(b"><g/>")
    assert bake(image, JWT) == (
        image[:cut]
        + f' xmlns:openbadges="{NAMESPACE}">'.encode()
        + f'<openbadges:credential verify="{JWT}"></openbadges:credential>'.encode()
        + image[cut + 1 :]
    )


def element(body: str = "", verify: str = "", namespace: str = NAMESPACE, name: str = "credential") -> str:
    attribute = f' verify="{verify}"' if verify else ""
    return f'<x:{name} xmlns:x="{namespace}"{attribute}>{body}</x:{name}>'


@pytest.mark.parametrize(
    "inside",
    [
        element(verify=JWT),
        element(JWT),
        element(f"<![CDATA[{JWT}]]>"),
        "<g>" + element(f"\n {JWT}\n") + "</g>",
        element(" \n", verify=JWT),
        f'<credential xmlns="{NAMESPACE}" verify="{JWT}"/>',
        element(JWT.replace(".", "<!-- -->.")),
    ],
)
def test_the_credential_is_found_by_its_namespace(inside: str) -> None:
    image = svg(f"<g/>{inside}<g/>")
    assert extract(image) == JWT
    assert bake(image, "{}") == bake(svg("<g/><g/>") if "<g>" not in inside else svg("<g/><g></g><g/>"), "{}")


@pytest.mark.parametrize(
    "older",
    [
        element(verify=JWT, namespace="https://purl.imsglobal.org/clr/v2p0"),
        element(verify=JWT, namespace="http://openbadges.org", name="assertion"),
    ],
)
def test_older_elements_are_read_where_there_is_no_newer(older: str) -> None:
    assert extract(svg(older)) == JWT
    assert extract(svg(older + element("{}"))) == "{}"


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (svg(element("{}") + element("{}")), "image-two-credentials"),
        (svg(element("{}", namespace="https://other.example/")), "image-without-credential"),
        (b"<html/>", "image-unsupported"),
        (b"<svg/>", "image-unsupported"),
        (svg()[:-1], "image-malformed"),
        (svg("<g>"), "image-malformed"),
        (svg() + b"<svg/>", "image-malformed"),
        (svg("\x01"), "image-malformed"),
        (svg("<x:g/>"), "image-malformed"),
        (svg("&e;", before="<!DOCTYPE svg>"), "image-malformed"),
        (svg(before="<!DOCTYPE svg [<!ENTITY e 'x'>]>"), "image-malformed"),
        (svg(before=f"<!DOCTYPE svg [<!ATTLIST x:credential verify CDATA '{JWT}'>]>"), "image-malformed"),
        (svg("&e;", before="<!DOCTYPE svg [<!ENTITY e 'x'>]>"), "image-malformed"),
        (svg("&e;", before='<!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/passwd">]>'), "image-malformed"),
        (svg(before='<?xml version="1.0" encoding="no-such-thing"?>'), "image-malformed"),
        (svg(before='<?xml version="1.0" encoding="utf-7"?>'), "image-malformed"),
        (b"<" * 100_000, "image-malformed"),
        (svg(element("{}", verify=JWT)), "image-malformed"),
        (svg(element(f"<y/>{JWT}")), "image-malformed"),
        (svg(element("{}" + element("{}"))), "image-malformed"),
        (svg("<g/>" * 100_000), "image-too-large"),
        (svg("<g " + " ".join(f'a{n}=""' for n in range(100_000)) + "/>"), "image-too-large"),
    ],
    ids=range(22),
)
def test_one_fault_of_an_svg_has_its_name(image: bytes, code: str) -> None:
    assert code_of(image) == code


DOCTYPES = (
    '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">',
    '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 20010904//EN"\n "svg10.dtd" []>\n',
    "<!DOCTYPE svg>",
)


@pytest.mark.parametrize("doctype", DOCTYPES)
def test_a_doctype_as_drawing_programs_write_it_stays(doctype: str) -> None:
    image = svg("<g/>" + element(verify=JWT), before=doctype)
    assert extract(image) == JWT
    baked = bake(image, "{}")
    assert (baked.startswith(doctype.encode()), extract(baked)) == (True, "{}")


def test_a_credential_that_two_readers_read_differently_is_replaced() -> None:
    for inside in (element("{}", verify=JWT), element(f"<y/>{JWT}")):
        assert extract(bake(svg(inside), "{}")) == "{}"


def test_deep_drawings_cost_no_stack() -> None:
    assert extract(svg("<g>" * 50_000 + element(verify=JWT) + "</g>" * 50_000)) == JWT


def test_another_encoding_is_read_and_not_written() -> None:
    image = f'<?xml version="1.0" encoding="iso-8859-1"?>{svg(element(verify=JWT)).decode()}'.encode("latin-1")
    assert extract(image) == JWT
    with pytest.raises(ImageError) as raised:
        bake(image, JWT)
    assert raised.value.code == "image-unsupported"


def test_an_extracted_text_is_whatever_a_stranger_wrote() -> None:
    assert extract(svg(element("not JSON"))) == "not JSON"


def test_attributes_are_counted_before_the_parser_takes_all_those_of_a_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[bake.__module__], "DefusedXMLParser", None)
    assert code_of(svg("<g " + " ".join(f'a{n}=""' for n in range(200_001)) + "/>")) == "image-too-large"
