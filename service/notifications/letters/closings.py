"""The end of mails: whom to ask."""

from service.notifications.letters.wording import named
from service.notifications.letters.writing import Said
from service.tables import Network
from service.texts.languages import N_, Language

REPLY = N_("Questions? Reply to this email: your answer goes to %(network)s.")
ASK = N_("Questions? Ask %(network)s: %(url)s Please do not reply to this email, because nobody reads the answers.")


def whom_to_ask(network: Network, language: Language) -> Said:
    """Return who answers questions: the network, by mail if it has an address, or else at its own site."""
    name = named(network.name)
    if network.email is not None:
        return Said(language.gettext(REPLY, network=name))
    return Said(language.gettext(ASK, network=name, url=network.url), network.url)
