"""Ask members to accept: by a new version, or because the network chose that evidence waits until they do."""

from service.access.act import Act
from service.evidence import acceptances
from service.intake import posting
from service.networks.guidelines import choices
from service.networks.guidelines.choices import GuidelineSettingsIn
from service.tables import GuidelineSettings


def choose(act: Act, body: GuidelineSettingsIn) -> GuidelineSettings:
    """Change what the act's network chose about its guidelines, and return it.

    Evidence that waited counts now as far as it need not wait any more; whom it is about is marked, to be settled.
    """
    row = choices.change(act, body)
    waiting = acceptances.waiting(act.session, act.network)
    if waiting:
        posting.release_held(act, waiting)
    return row
