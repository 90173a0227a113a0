"""Fields of forms that machines send: as in JSON, nothing unknown is passed over."""

from starlette.datastructures import FormData

from credentials.strict_json import pointer
from service.bodies import refusal
from service.faults import unknown_member


def hold_to(form: FormData, *known: str) -> None:
    """Refuse a form with a field that is not known there.

    Raises:
        InvalidError: it has one (code "extra-forbidden").
    """
    unknown = dict.fromkeys(name for name in form if name not in known)
    if unknown:
        raise refusal(
            [
                {"code": "extra-forbidden", "detail": unknown_member(name, name, known), "pointer": pointer(name)}
                for name in unknown
            ]
        )
