"""Small closed sets, as integers on every wire. Each class lists its members in NAMES, in value order."""


class Quality:
    """How far a reading's values can be trusted."""

    GOOD = 0
    UNCERTAIN = 1  # a value was clamped, or its calibration is out of date
    BAD = 2  # at least one value was rejected or could not be read
    NAMES = ("good", "uncertain", "bad")


class TimeQuality:
    """How far a reading's recorded_at can be trusted."""

    SYNCED = 0  # stamped by a clock that was known at the time
    CORRECTED = 1  # taken before the clock was known, stamped right once it was
    ESTIMATED = 2  # the clock of that boot was never known; placed between its neighbours
    PENDING = 3  # on disk only: recorded_at_ms still counts from the boot; never uploaded like this
    NAMES = ("synced", "corrected", "estimated", "pending")


class LossCause:
    """Why rows were dropped on purpose."""

    EVICTED = 0  # the outbox was full
    THINNED = 1  # replaced by one-minute aggregates to make room
    REJECTED = 2  # the cloud refused the row and an operator purged it, or it aged out
    DISK = 3  # the disk did not take it before memory ran out
    CORRUPT = 4  # the outbox file was damaged and this part could not be salvaged
    CLOCK = 5  # the clock was never known and no neighbour bounds the time
    NAMES = ("evicted", "thinned", "rejected", "disk", "corrupt", "clock")


class Lane:
    """In which order rows leave the outbox; lower goes first."""

    ALARM = 0  # alarms, command results, loss entries: at once, evicted last
    LIVE = 1  # what was measured since the cloud was last reached
    BACKLOG = 2  # what an outage left behind, oldest first
    NAMES = ("alarm", "live", "backlog")
