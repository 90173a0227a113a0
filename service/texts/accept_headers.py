"""Read how the headers `Accept` and `Accept-Language` weigh their values."""

import re

MAX_PREFERENCES = 50
_WEIGHT = re.compile(r"q=(0(\.[0-9]{0,3})?|1(\.0{0,3})?)\Z")


def preferences(header: str | None) -> list[tuple[str, float]]:
    """Return each range of the header in lower case, with its weight from 0 to 1.

    They are in the order of the header. A range whose weight cannot be read is left out, and so is everything after the
    fiftieth range.

    Spec: RFC 9110, section 12.4.2 (quality values).
    """
    found = []
    for part in (header or "").split(",")[:MAX_PREFERENCES]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((piece for piece in parameters if piece.startswith("q=")), "q=1")
        if name and (read := _WEIGHT.match(weight)):
            found.append((name, float(read[1])))
    return found
