"""The form of receipts, as they name it themselves."""

from typing import Final

FORM: Final = "receipt/1"
