"""Mails that tell the addresses of an account what happened to the account.

They are of security: nobody can switch them off. They are text only, and name nobody.
"""

from collections.abc import Mapping
from email.message import EmailMessage
from typing import Final

from service.accounts import way_out
from service.notifications.letters.addressing import from_service
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession
from service.tables import Account, AccountAddress, Message, SignInRequest
from service.texts.languages import ENGLISH, LANGUAGES, N_

HELLO: Final = N_("Hello,")
NOTICES: Final[Mapping[str, tuple[str, str]]] = {
    "address-added": (
        N_("An address was added to your account"),
        N_("Another email address was added to your account at %(site)s. It can now be used to sign in."),
    ),
    "address-removed": (
        N_("An address was removed from your account"),
        N_("An email address was removed from the account at %(site)s that this address belongs or belonged to."),
    ),
    "accounts-joined": (
        N_("Your two accounts are now one"),
        N_(
            "Somebody who proved addresses of two accounts at %(site)s joined them. All addresses and badges are "
            "now in one account."
        ),
    ),
    "signed-out": (
        N_("You were signed out everywhere"),
        N_("Your account at %(site)s was signed out in every browser except the one that asked for it."),
    ),
    "passkey-added": (
        N_("A passkey was added to your account"),
        N_("A passkey was added to your account at %(site)s. It can now be used to sign in."),
    ),
    "passkey-removed": (
        N_("A passkey was removed from your account"),
        N_("A passkey was removed from your account at %(site)s. Nobody can sign in with it any more."),
    ),
    "passkey-copied": (
        N_("One of your passkeys may have been copied"),
        N_(
            "Somebody tried to sign in to your account at %(site)s with what may be a copy of your passkey. They "
            "were not signed in. Remove the passkey, and add a new one."
        ),
    ),
    "way-out-used": (
        N_("You were signed out everywhere"),
        N_(
            "Somebody who reads an address that was removed from your account at %(site)s says that this was not them. So "
            "your account was signed out in every browser."
        ),
    ),
    "openid-linked": (
        N_("There is a new way to sign in to your account"),
        N_(
            "Somebody signed in to your account at %(site)s through the school or organisation that runs this "
            "service. It confirmed that your address is theirs. They can now always sign in this way."
        ),
    ),
    "openid-added": (
        N_("There is a new way to sign in to your account"),
        N_(
            "Your account at %(site)s was linked with the school or organisation that runs this service. It can now also be "
            "used to sign in."
        ),
    ),
    "openid-removed": (
        N_("A way to sign in to your account was removed"),
        N_("The link of your account at %(site)s with a school or organisation was removed."),
    ),
    "account-deleted": (
        N_("Your account was deleted"),
        N_(
            "The account at %(site)s that this address belonged to was deleted. Badges stay valid, and the networks that "
            "awarded them still know them."
        ),
    ),
    "everything-erased": (
        N_("Everything about you was erased"),
        N_(
            "You asked for this at %(site)s. Your account, your badges and what the networks held about you were erased. "
            "Copies of your badges that others have say that they are revoked when somebody checks them. This is our last "
            "email to this address."
        ),
    ),
}
"""The subject of each notice, and what it tells."""
WAS_IT_YOU: Final = N_("If it was you, you do not need to do anything.")
NOT_YOU: Final = N_(
    "If it was not you, sign in here, press “Sign out everywhere else” and look through your addresses: %(account)s"
)
WAY_OUT: Final = N_(
    "If it was not you, sign out everybody from the account within 7 days, here: %(way_out)s\n\nThen get your badges back "
    "with the help of two colleagues: %(return)s"
)
CANNOT: Final = N_("If it was not you, ask the network that awarded your badges for help.")


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail: in the language of the account, to the address that is told."""
    assert message.notice is not None  # it was queued with one
    to, code = _addressee(session, message)
    can_sign_in = message.account_address_id is not None
    language, base_url = LANGUAGES.get(code, ENGLISH), runtime.settings.base_url
    subject, text = NOTICES[message.notice]
    values = {"site": base_url, "account": f"{base_url}/account", "return": f"{base_url}/return"}
    secret = _way_out(session, runtime, message)
    if secret is not None:
        values["way_out"] = f"{base_url}/way-out/{secret}"
    paragraphs = [HELLO, text, WAS_IT_YOU, NOT_YOU if can_sign_in else WAY_OUT if secret else CANNOT]
    mail = from_service(runtime, message, to, message.due_at)
    mail["Subject"] = language.gettext(subject)
    mail.set_content("\n\n".join(language.gettext(each, **values) for each in paragraphs) + "\n")
    mail["Content-Language"] = language.code
    return mail


def _way_out(session: ReadSession, runtime: Runtime, message: Message) -> str | None:
    if message.sign_in_request_id is None:
        return None
    return way_out.secret_of(runtime, session.get_one(SignInRequest, message.sign_in_request_id))


def _addressee(session: ReadSession, message: Message) -> tuple[str, str]:
    """Return who is told, and in which language; an address that was removed stands in a request that is over."""
    if message.sign_in_request_id is not None:
        request = session.get_one(SignInRequest, message.sign_in_request_id)
        return request.address, request.language
    address = session.get_one(AccountAddress, message.account_address_id)
    account = session.get_one(Account, address.account_id)
    return address.value, account.language or ENGLISH.code
