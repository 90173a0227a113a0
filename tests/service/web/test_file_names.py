"""The names under which files are saved."""

import pytest

from service.web.file_names import MAX_CHARACTERS, disposition, file_name


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Peer mentor", "Peer-mentor.png"),
        ("  Sharer:  level 2/3 ", "Sharer-level-2-3.png"),
        ("Mentoría entre pares", "Mentoría-entre-pares.png"),
        ("互助学习", "互助学习.png"),
        ("../../etc/passwd", "etc-passwd.png"),
        ('a"; filename="x.exe', "a-filename-x-exe.png"),
        ("a\r\nb\u202egnp", "a-b-gnp.png"),
        ("__init__", "init.png"),
        ("!?", "badge.png"),
        ("", "badge.png"),
    ],
)
def test_a_file_is_named_after_its_title(title: str, name: str) -> None:
    assert file_name(title, "png") == name


def test_a_long_title_is_cut() -> None:
    assert file_name("a" * 500, "png") == "a" * MAX_CHARACTERS + ".png"


def test_a_plain_name_is_given_once() -> None:
    assert disposition("inline", "Peer-mentor.png") == 'inline; filename="Peer-mentor.png"'


def test_an_ending_of_two_parts_stays() -> None:
    assert disposition("attachment", "Sharer.bundle.json") == 'attachment; filename="Sharer.bundle.json"'


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (
            "Mentoría.png",
            "attachment; filename=\"Mentoria.png\"; filename*=UTF-8''Mentor%C3%ADa.png",
        ),
        (
            "互助.png",
            "attachment; filename=\"badge.png\"; filename*=UTF-8''%E4%BA%92%E5%8A%A9.png",
        ),
    ],
)
def test_a_name_in_another_script_is_given_in_ascii_too(name: str, value: str) -> None:
    assert disposition("attachment", name) == value
