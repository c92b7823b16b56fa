"""Checking Slack: what the app still lacks, in words that say where to click."""

import re
from collections.abc import Mapping
from typing import Any, Final

from listener.channels.contract import NotNow, Undelivered
from listener.channels.slack_api import Api

# Each scope of docs/slack-manifest.json, with what would fail without it.
NEEDED: Final[Mapping[str, str]] = {
    "chat:write": "post and edit cards",
    "channels:history": "find its own card after a crash",
    "channels:read": "see whether it is in a channel",
    "commands": "hear /listener",
    "files:write": "show the pictures of a digest",
    "im:history": "find what it told one person, after a crash",
    "im:write": "tell one person alone",
}
SIGNING: Final = re.compile(r"[0-9a-f]{32}")


async def check(
    api: Api, channel: str, *, signing_secret: str | None, app_token: str | None
) -> tuple[bool, str]:
    """Whether a channel is ready, and what to do if it is not."""
    wrong: list[str] = []
    try:
        granted, team = await api.granted()
        lacking = [scope for scope in NEEDED if scope not in granted]
        if lacking:
            named = ", ".join(f"{scope} (to {NEEDED[scope]})" for scope in lacking)
            wrong.append(
                f"The app lacks the scope {named}: add it under OAuth & Permissions, then install "
                "the app again."
            )
        if "channels:read" in granted:
            told: dict[str, Any] = await api.read("conversations.info", channel=channel)
            if not told.get("channel", {}).get("is_member"):
                wrong.append(
                    f"The app is not in the channel {channel}: write /invite @Listener there."
                )
    except (Undelivered, NotNow) as error:
        return False, str(error)
    if signing_secret is None and app_token is None:
        wrong.append(
            "Nobody can press a button: give signing_secret, or app_token for Socket Mode."
        )
    if signing_secret is not None and not SIGNING.fullmatch(signing_secret):
        wrong.append(
            "The signing secret is not one, it has 32 characters from 0 to f: copy it from "
            "Basic Information, App Credentials, Signing Secret."
        )
    if app_token is not None and not app_token.startswith("xapp-"):
        wrong.append(
            "The app_token is not one, it begins with xapp-: make it under Basic Information, "
            "App-Level Tokens, with the scope connections:write."
        )
    if wrong:
        return False, " ".join(wrong)
    return True, f"Slack answers; the app is in {channel} of {team}."
