"""Join a text and its values to one sentence."""


def sentence(message: str) -> str:
    """Return a message that begins in lower case, as findings do, as a sentence."""
    return message[:1].upper() + message[1:] + ("" if message.endswith((".", "!", "?")) else ".")
