"""Where the update is, told by the record of the slots."""

from firmware.node import slots
from shared_schema.update_messages import UpdateReport, UpdateState


def report_of(pointer: slots.Pointer):
    """Return where the update is by the record of the slots, None when there is nothing to tell."""
    if pointer.is_trial:
        return UpdateReport(UpdateState.TRIAL, pointer.trial_version)
    if pointer.failed_version:
        return UpdateReport(UpdateState.REVERTED, pointer.failed_version)
    return UpdateReport(UpdateState.CONFIRMED, pointer.version) if pointer.version else None
