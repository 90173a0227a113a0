"""Who asks for a page without saying so.

Social networks and messengers fetch a link that somebody shares, and mostly take anything (`*/*`). They are known by
`User-Agent`. Any other program that takes anything gets the document, as verifiers expect.
"""

import re
from typing import Annotated, Final

from fastapi import Depends, Header

from service.texts.accept_headers import preferences
from service.web.rendering import HTML

BOTS: Final = (
    "applebot",
    "bingbot",
    "bitlybot",
    "bluesky",
    "cardyb",
    "discordbot",
    "duckduckbot",
    "embedly",
    "facebookbot",
    "facebookexternalhit",
    "facebot",
    "flipboard",
    "friendica",
    "google-pagerenderer",
    "googlebot",
    "iframely",
    "kakaotalk-scrap",
    "line-poker",
    "linkedinbot",
    "mastodon",
    "matrix-preview",
    "mattermost",
    "meta-externalagent",
    "microsoftpreview",
    "misskey",
    "nextcloud",
    "notionbot",
    "pinterest",
    "pleroma",
    "redditbot",
    "rocket.chat",
    "skypeuripreview",
    "slackbot",
    "slack-imgproxy",
    "snapchat",
    "synapse",
    "teamsbot",
    "telegrambot",
    "threads",
    "tumblr",
    "twitterbot",
    "viber",
    "vkshare",
    "whatsapp",
    "xing-contenttabreceiver",
    "yandexbot",
    "zoombot",
)
"""Parts of the names, in lower case, under which they ask."""
_PAGE_FOR: Final = re.compile(r"^mozilla/|" + "|".join(map(re.escape, BOTS)))
SCRIPT: Final = "empty"
"""The `Sec-Fetch-Dest` of what a script of a page asks for, such as a verifier that runs in a browser (Fetch Metadata)."""
VARY: Final = "Accept, User-Agent, Sec-Fetch-Dest"
"""By what the form of an address is chosen that has a page and a document."""


async def accepted(
    accept: Annotated[str | None, Header()] = None,
    user_agent: Annotated[str | None, Header(include_in_schema=False)] = None,
    sec_fetch_dest: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> str | None:
    """Return what the caller accepts: a page, if they name no form and are known to want one; else what they say."""
    named = {name for name, _weight in preferences(accept)} - {"*/*"}
    if named or sec_fetch_dest == SCRIPT or not _PAGE_FOR.search((user_agent or "").lower()):
        return accept
    return HTML


Accept = Annotated[str | None, Depends(accepted)]
"""What the caller accepts, for a route that has a page and a document."""
