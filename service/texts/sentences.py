"""Make a sentence of a message."""


def sentence(message: str) -> str:
    """Return a message as a sentence: with a capital letter and a full stop.

    Findings, for example, begin in lower case.
    """
    return message[:1].upper() + message[1:] + ("" if message.endswith((".", "!", "?")) else ".")
