"""What an exchange means for the rows in it: stored, or why not and what to do about it.

STORED    the cloud answered after its commit that it has them
AGAIN     the cloud or the way to it is unwell: back off, send the same rows again
RENEW     the token is not (any longer) believed: a new one, then the same rows again
SPLIT     the cloud refused what the rows say: find the ones it means
REST      one table is not as it should be: its rows rest, an operator has to act, other tables go on
OPERATOR  nothing will be accepted until an operator acts: back off like AGAIN, and say so

When in doubt a row is kept: an error nobody has heard of is never a reason to set rows aside.
Sources: PostgREST, "Errors" (which SQLSTATE becomes which HTTP status; the PGRST codes);
PostgreSQL 17, appendix A; RFC 9110 10.2.3 (Retry-After).
"""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any

import orjson

from hub.uplink import exchange
from hub.uplink.exchange import Answer, Failure

REASON_LENGTH = 300  # a reason is shown in lists


class Reaction(Enum):
    """See the module."""

    STORED = "stored"
    AGAIN = "again"
    RENEW = "renew"
    SPLIT = "split"
    REST = "rest"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One meaning.

    code: of the event to raise. after_s: what the cloud asked to wait. resend: worth one more try at once.
    by_size: refused for its length. by_policy: refused by row-level security.
    """

    reaction: Reaction
    code: str = ""
    reason: str = ""
    after_s: float | None = None
    resend: bool = False
    by_size: bool = False
    by_policy: bool = False

    @property
    def is_answered(self) -> bool:
        """True when the cloud itself answered, whatever it said about the rows."""
        return self.reaction in {Reaction.STORED, Reaction.SPLIT, Reaction.REST}


STORED = Outcome(Reaction.STORED)

_CODE_OF_FAILURE = {
    exchange.REFUSED: "cloud_unreachable",
    exchange.CUT: "cloud_connection_lost",
    exchange.TIMEOUT: "cloud_timeout",
}
_BUSY_STATUS = {408, 425, 429}
_DATA_CLASSES = ("21", "22", "23")  # cardinality, data exception, integrity constraint violation
_RAISED = "P0001"  # a trigger's own "raise exception"
_PERMISSION = "42501"
_BAD_BODY = "PGRST102"
_RENEW_CODES = {"PGRST301", "PGRST302", "PGRST303"}
_OK_WITH_BODY = (b"[", b"{")


def outcome_of(came: Answer | Failure) -> Outcome:
    """Return what an exchange means."""
    if isinstance(came, Failure):
        return _of_failure(came)
    status = came.status
    if 200 <= status < 300:
        return _of_success(came)
    if status in _BUSY_STATUS or status >= 500:
        code = "cloud_rate_limited" if status == 429 else "cloud_error"
        hint = "; if it stays, check cloud.url" if code == "cloud_error" and _is_page(came.body) else ""
        return Outcome(Reaction.AGAIN, code, _reason(came) + hint, after_s=retry_after_s(came))
    if status == 413:
        return Outcome(Reaction.SPLIT, "rows_refused", _reason(came), by_size=True)
    return _of_refusal(came)


def retry_after_s(answer: Answer) -> float | None:
    """Return how long the cloud asked to wait. A date counts from the cloud's own Date."""
    asked = answer.retry_after.strip()
    if asked.isdecimal():
        return float(asked[:9])
    try:
        pause = parsedate_to_datetime(asked) - parsedate_to_datetime(answer.date)
    except (TypeError, ValueError):
        return None
    return max(0.0, pause.total_seconds())


def server_date_ms(answer: Answer) -> int | None:
    """Return the answer's Date as Unix ms, whole seconds; None when it has none that can be read."""
    try:
        return round(parsedate_to_datetime(answer.date).timestamp() * 1000)
    except (TypeError, ValueError, OverflowError):
        return None


def _of_failure(failure: Failure) -> Outcome:
    if failure.kind == exchange.CERTIFICATE:
        hint = "check the cloud's URL, this machine's CA certificates and its clock"
        return Outcome(Reaction.OPERATOR, "cloud_certificate", f"{failure.detail}; {hint}")
    # A kept-alive connection that the server just closed looks like this, and means nothing.
    resend = failure.kind == exchange.CUT
    hint = "; check the network, a firewall and cloud.url" if failure.kind == exchange.REFUSED else ""
    return Outcome(Reaction.AGAIN, _CODE_OF_FAILURE[failure.kind], f"{failure.detail}{hint}", resend=resend)


def _of_success(answer: Answer) -> Outcome:
    """Return STORED, unless the 2xx came from something else: a captive portal says 200 to everything."""
    if answer.body.strip() and not answer.body.lstrip().startswith(_OK_WITH_BODY):
        return Outcome(
            Reaction.AGAIN,
            "cloud_error",
            "something that is not the cloud answered in its place; check cloud.url",
        )
    return STORED


def _of_refusal(answer: Answer) -> Outcome:
    code = str(_error(answer).get("code") or "")
    reason = _reason(answer)
    if code == _PERMISSION and answer.status != 401:
        return _of_permission(reason)
    if answer.status == 401 or code in _RENEW_CODES:
        if "api key" in reason.lower():
            return Outcome(Reaction.OPERATOR, "cloud_key_refused", f"{reason}; check cloud.publishable_key")
        return Outcome(Reaction.RENEW, "token_refused", reason)
    if code.startswith(_DATA_CLASSES) or code in {_RAISED, _BAD_BODY}:
        return Outcome(Reaction.SPLIT, "rows_refused", reason)
    if code.startswith(("42", "PGRST1", "PGRST2")):
        return Outcome(Reaction.REST, "cloud_schema", f"{reason}; apply the cloud's migrations")
    return Outcome(Reaction.OPERATOR, "cloud_refused", f"{reason}; check cloud.url and the project's state")


def _of_permission(reason: str) -> Outcome:
    """Return what 42501 means: for rows that a policy does not let in, or for a table without a grant."""
    if "row-level security" in reason:
        return Outcome(Reaction.SPLIT, "rows_refused", reason, by_policy=True)
    return Outcome(Reaction.REST, "cloud_schema", f"{reason}; apply the cloud's migrations")


def _reason(answer: Answer) -> str:
    error = _error(answer)
    said = [str(error[key]) for key in ("message", "details", "hint") if error.get(key)]
    text = "; ".join(said) or _quoted(answer.body)
    code = f" {error['code']}" if error.get("code") else ""
    return f"HTTP {answer.status}{code}: {text}"[:REASON_LENGTH]


def _quoted(body: bytes) -> str:
    """Return what a body says that is not the cloud's own JSON."""
    if _is_page(body):
        return "a web page instead of JSON"
    return body.decode(errors="replace").strip() or "no reason given"


def _is_page(body: bytes) -> bool:
    return body.lstrip().startswith(b"<")


def _error(answer: Answer) -> dict[str, Any]:
    try:
        error = orjson.loads(answer.body)
    except ValueError:
        return {}
    return error if isinstance(error, dict) else {}
