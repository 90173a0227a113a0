"""What was worked out a moment ago."""

from service.runtime.minute_cache import FRESH_SECONDS, KEPT, Recent


def test_the_same_is_worked_out_once_a_minute() -> None:
    recent, made = Recent(), iter(range(10))

    def ask(key: str, at: float) -> int:
        return recent.get(key, at, lambda: next(made))

    assert [ask("a", 0), ask("a", FRESH_SECONDS - 1), ask("b", 1), ask("a", FRESH_SECONDS)] == [0, 0, 1, 2]


def test_only_so_much_is_kept_and_what_was_not_asked_for_goes_first() -> None:
    recent = Recent()
    for n in range(KEPT):
        recent.get(n, 0, lambda n=n: n)  # type: ignore[misc]
    recent.get(0, 1, lambda: -1)
    recent.get("one more", 1, lambda: 0)
    assert recent.get(0, 1, lambda: -1) == 0
    assert recent.get(1, 1, lambda: -1) == -1
