"""Mails with the link and the code to sign in, or to add an address."""

from email.message import EmailMessage

from service.accounts import sign_in
from service.notifications.letters.addressing import from_service
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession
from service.tables import Message, SignInRequest
from service.texts.languages import LANGUAGES, N_

SUBJECTS = {
    "sign-in": N_("%(code)s is your sign-in code"),
    "add-address": N_("%(code)s is your code to add this address"),
}
TEXTS = {
    "sign-in": N_(
        """\
Hello,

You asked to sign in to Laurel at %(site)s. Open this link in the browser in which you asked:

%(link)s

Or type this code there: %(code)s

The link and the code work once, within 15 minutes. Do not tell anyone the code.

Did you not ask for this? Then do nothing: nobody can sign in without this email."""
    ),
    "add-address": N_(
        """\
Hello,

You asked to add this address to your account at %(site)s. Open this link in the browser in which you asked:

%(link)s

Or type this code there: %(code)s

The link and the code work once, within 15 minutes. Do not tell anyone the code.

Did you not ask for this? Then do nothing: the address is not added without this email."""
    ),
}


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail; None if the request is over. It is text only, so that the code is easy to find."""
    row = session.get_one(SignInRequest, message.sign_in_request_id)
    if not sign_in.is_to_be_mailed(row, runtime.now()):
        return None
    link, digits = sign_in.mailed(runtime, row)
    language, base_url = LANGUAGES[row.language], runtime.settings.base_url
    code = f"{digits[:3]} {digits[3:]}"
    mail = from_service(runtime, message, row.address, row.asked_at)
    mail["Subject"] = language.gettext(SUBJECTS[row.purpose], code=code)
    values = {"site": base_url, "link": f"{base_url}/sign-in/{link}", "code": code}
    mail.set_content(language.gettext(TEXTS[row.purpose], **values) + "\n")
    mail["Content-Language"] = language.code
    return mail
