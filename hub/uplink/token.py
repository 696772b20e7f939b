"""The hub's proof of who it is: when it needs a new token, how it asks, and what the answer means.

Lives by the monotonic clock and expires_in alone: a hub whose wall clock is wrong must get its rows through.
"""

from typing import Any

import orjson

from hub.uplink.exchange import Answer, Failure, Request
from hub.uplink.outcome import STORED, Outcome, Reaction, outcome_of
from shared_schema.limits import DEVICE_TOKEN_RENEW_S, DEVICE_TOKEN_S

PATH = "/functions/v1/device-token"
RENEW_SHARE = 0.75  # of a token's life, for lives shorter than the usual two hours
REFUSAL_PAUSE_S = 60.0  # the cloud gives a device ten tokens a minute; one a minute is never too many


class Token:
    """One hub's token. now_s: monotonic. secret: of the device, as it was given at registration.

    Each answer brings a refresh token that serves once, so that the secret travels seldom. It is kept in
    memory alone: what is on the disk can be copied. After any refusal or doubt the secret is shown again.
    """

    def __init__(self, device_key: str, secret: str, renew_s: float = DEVICE_TOKEN_RENEW_S) -> None:
        self._device_key = device_key
        self._secret = secret
        self._renew_s = renew_s
        self._renew_at_s = 0.0
        self._expires_at_s = 0.0
        self._renewed_after_refusal_s: float | None = None
        self._is_refused = False
        self._refresh_token = ""
        self._shown_refresh_token = ""
        self.bearer = ""

    def is_due(self, now_s: float) -> bool:
        """True when a new token should be asked for; the old one may still serve."""
        return not self.bearer or self._is_refused or now_s >= self._renew_at_s

    def is_usable(self, now_s: float) -> bool:
        """True while the token at hand is worth sending."""
        return bool(self.bearer) and not self._is_refused and now_s < self._expires_at_s

    def refuse(self, bearer: str) -> None:
        """Note that the cloud did not believe this token. Another one may have taken its place meanwhile."""
        if bearer == self.bearer:
            self._is_refused = True

    def wait_s(self, now_s: float) -> float:
        """Return how long to wait before asking: after a refusal the cloud is asked once a minute at most."""
        if not self._is_refused or self._renewed_after_refusal_s is None:
            return 0.0
        return max(0.0, self._renewed_after_refusal_s + REFUSAL_PAUSE_S - now_s)

    def request(self, now_s: float) -> Request:
        """Return the request for a new token."""
        if self._is_refused:
            self._renewed_after_refusal_s = now_s
        # Forgotten at once: if the answer is lost, it may be used up, and a second use would look like theft.
        self._shown_refresh_token, self._refresh_token = self._refresh_token, ""
        if self._shown_refresh_token:
            return Request("POST", PATH, orjson.dumps({"refresh_token": self._shown_refresh_token}))
        body = orjson.dumps({"device_key": self._device_key, "secret": self._secret})
        return Request("POST", PATH, body)

    def take(self, came: Answer | Failure, now_s: float) -> Outcome:
        """Keep the token that came, or return why there is none. STORED means that it is kept."""
        outcome = outcome_of(came)
        if isinstance(came, Failure) or outcome.reaction is Reaction.AGAIN:
            return outcome
        if outcome.reaction is not Reaction.STORED:
            return _refusal(outcome, self._device_key)
        return self._keep(came, now_s)

    def falls_back(self, outcome: Outcome) -> bool:
        """True when it was the refresh token that was refused: then the secret may still be believed."""
        return bool(self._shown_refresh_token) and outcome.code == "device_refused"

    def put_off(self, now_s: float, pause_s: float) -> None:
        """Ask again only after a pause, while the token at hand still serves."""
        self._renew_at_s = now_s + pause_s

    def _keep(self, answer: Answer, now_s: float) -> Outcome:
        fields = _fields(answer.body)
        bearer, life_s = fields.get("access_token"), fields.get("expires_in", DEVICE_TOKEN_S)
        if not isinstance(bearer, str) or not bearer or not isinstance(life_s, int | float):
            return Outcome(Reaction.AGAIN, "cloud_error", "the answer to the request for a token holds none")
        self.bearer = bearer
        following = fields.get("refresh_token")
        self._refresh_token = following if isinstance(following, str) else ""
        self._is_refused = False
        self._expires_at_s = now_s + life_s
        self._renew_at_s = now_s + min(self._renew_s, life_s * RENEW_SHARE)
        return STORED


def _refusal(outcome: Outcome, device_key: str) -> Outcome:
    if outcome.code == "cloud_key_refused":
        return outcome
    hint = f"register {device_key!r} in the cloud, or put its present secret into cloud.device_secret"
    return Outcome(Reaction.OPERATOR, "device_refused", f"{outcome.reason}; {hint}")


def _fields(body: bytes) -> dict[str, Any]:
    try:
        fields = orjson.loads(body)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
