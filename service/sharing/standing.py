"""How a shown badge stands: its state, and what a check of the last minute found."""

from dataclasses import dataclass
from datetime import datetime

from service.checking import check, wording
from service.checking.check import Checked
from service.checking.desk import Desk
from service.issuing.visibility import Visibility
from service.sharing import views
from service.sharing.views import ShownCredential
from service.texts.languages import Language


@dataclass(frozen=True)
class Standing:
    """A badge as pages show it, with its check."""

    shown: ShownCredential
    checked: Checked

    @property
    def tone(self) -> str:
        """Return good, bad or unsure: the graver of its state and its check, as at the top of its page."""
        state = self.shown.state
        return state.tone if state.kind != "valid" else self.checked.tone

    def in_short(self, language: Language) -> str:
        """Return how it stands, in the fewest words that claim no more than its page does."""
        state = self.shown.state
        if state.kind != "valid" or self.checked.tone == "good":
            return language.gettext(state.word)
        return wording.headline(self.checked, language)[0]


def of(desk: Desk, credential_id: str, now: datetime, visibility: Visibility | None = None) -> Standing | None:
    """Return how a badge stands; None where it does not exist or is private.

    A change of the badge itself shows at once; of a trust list, or of its evidence, within a minute.

    Args:
        visibility: as in `views.credential`.
    """
    with desk.runtime.database.read() as session:
        shown = views.credential(session, credential_id, now, visibility)
    if shown is None:
        return None
    # No session is open here: a check opens its own, and a request that holds one while it waits for another can wait
    # for ever.
    row = shown.row
    key = (row.id, row.signed, row.revoked_at, row.suspended_at, row.superseded_by, shown.state.kind)
    return Standing(shown, desk.recent.get(key, desk.steady(), lambda: check.check(desk, row.signed)))
