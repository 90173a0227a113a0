"""What a report says about a document: a finding, and the meaning of every code that one can have."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Args:
        code: stable kebab-case name, a key of `CODES`.
        message: one sentence with what was expected and what was found; never a secret.
        pointer: JSON pointer (RFC 6901) to the place in the credential, or "" for the whole.
    """

    code: str
    message: str
    pointer: str = ""
