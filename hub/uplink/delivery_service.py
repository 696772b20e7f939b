"""Brings one parcel to the cloud and notes in it what became of each row.

Leaves telling the outbox and waiting to service.
"""

from hub.uplink.bisect import Bisection
from hub.uplink.outcome import Outcome, Reaction
from hub.uplink.parcel import Parcel
from hub.uplink.rows import body_of, rows_with_unknown_devices
from hub.uplink.session_service import Session
from shared_schema.metrics import Kind, kind_named


async def deliver(parcel: Parcel, session: Session, max_requests: int) -> None:
    """Send the open rows of a parcel, in parts once the cloud refuses them together.

    Safe to cancel and to repeat: what is known so far stands in the parcel at any time.
    """
    try:
        kind = kind_named(parcel.batch.kind)
    except ValueError as error:
        parcel.rejected.update(dict.fromkeys(parcel.open_rows(), str(error)))
        return
    parcel.trouble = None
    while await _deliver_once(parcel, kind, session, max_requests):
        pass


async def _deliver_once(parcel: Parcel, kind: Kind, session: Session, max_requests: int) -> bool:
    """Return True when the rows have to be built anew because the directory changed."""
    parcel.unknown = rows_with_unknown_devices(parcel.batch, kind, session.ids)
    rows = parcel.open_rows()
    if parcel.unknown:
        rows = [row for row in rows if row not in parcel.unknown]
    bisection = Bisection(rows, max_requests)
    while (part := bisection.part()) is not None:
        parcel.is_asked = True
        outcome = await session.insert(kind, body_of(parcel.batch, kind, part, session.ids))
        if outcome.reaction is Reaction.STORED:
            bisection.accept()
            parcel.stored.update(part)
        elif outcome.reaction is not Reaction.SPLIT:
            parcel.trouble = outcome
            return False
        elif outcome.by_policy and await session.has_other_devices():
            return True
        elif outcome.by_policy and session.shut_out is not None:
            parcel.trouble = session.shut_out
            return False
        else:
            _refuse(parcel, bisection, outcome)
    return False


def _refuse(parcel: Parcel, bisection: Bisection, outcome: Outcome) -> None:
    bisection.refuse(outcome.reason, by_size=outcome.by_size)
    parcel.rejected.update(bisection.rejected)
    parcel.was_too_large = parcel.was_too_large or outcome.by_size
