"""How far a node's numbers are accounted for at this hub: each row is stored once, and none is skipped.

Rules:
1. accepted is the highest number such that every row of the epoch up to it is on its way to the disk or
   explained by a loss; stored is the same for what is on disk. Only stored is ever told to the node.
2. Rows at or below accepted are repeats and dropped. Rows beyond the next number are a hole: the session
   ends, and the node sends again from stored.
3. A session's first rows may begin anywhere up to what the node had when it greeted: what lies before was
   acknowledged by another hub of the site. A hole that is there again in the next session is taken for the
   same: the node has no other rows, and it is better heard with a hole than never again.
4. What was stored is not kept in a file of its own: after a start the outbox says up to where it has rows of
   (device, epoch), from the transaction that stored them. So a crash between commit and acknowledgement
   costs nothing: the node is told, and what it sends again all the same is dropped here. Two things are
   beyond it. A loss that was not acknowledged is written again, which explains the same numbers twice. And
   rows that two hubs have got are stored by both; the cloud ignores the second, by (device, epoch, seq).
"""

from shared_schema.link import LinkError

RANGES_MOST = 500  # losses told ahead of their place; a ring joins neighbours, and has fewer segments


class Numbers:
    """One node's numbers in one epoch. stored: what the disk has of them already."""

    def __init__(self, epoch: int, stored: int) -> None:
        self.epoch = epoch
        self.stored = stored
        self.accepted = stored
        self.skipped: tuple[int, int] | None = None
        self._losses: list[tuple[int, int, bool]] = []
        self._next_seq = 0
        self._is_first = False
        self._had_hole = False

    def greet(self, next_seq: int) -> None:
        """Begin a session. next_seq: one past the node's newest row."""
        self._next_seq = next_seq
        self._is_first = True
        self.skipped = None

    def take(self, first_seq: int, rows: int) -> int:
        """Accept rows; return how many of the first are repeats. Raises LinkError at a hole.

        skipped: the hole that was let pass with them, if there was one.
        """
        self.skipped = None
        after = self.accepted + 1
        if first_seq > after and not self._explains(after, first_seq - 1):
            self._leap(after, first_seq)
        self._is_first = False
        repeats = min(rows, max(0, after - first_seq))
        if repeats < rows:
            self._advance(first_seq + rows - 1)
        return repeats

    def lose(self, first_seq: int, last_seq: int, *, has_rows_between: bool) -> tuple[int, int] | None:
        """Accept a loss; return the part of it that is news.

        has_rows_between: some of the rows are still there and will come, as after thinning.
        Raises LinkError when more losses are told than any ring has.
        """
        first_seq = max(first_seq, self.accepted + 1)
        if first_seq > last_seq or (first_seq, last_seq, has_rows_between) in self._losses:
            return None
        if len(self._losses) >= RANGES_MOST:
            raise LinkError(f"more than {RANGES_MOST} losses")
        self._losses.append((first_seq, last_seq, has_rows_between))
        self._losses.sort()
        self._advance(self.accepted)
        return first_seq, last_seq

    def settle(self, accepted: int) -> None:
        """Note that everything up to what was accepted then is on disk."""
        self.stored = max(self.stored, accepted)

    def _leap(self, after: int, first_seq: int) -> None:
        may_leap = (self._is_first or self._had_hole) and first_seq <= self._next_seq
        if not may_leap:
            self._had_hole = True
            raise LinkError(f"rows {after} to {first_seq - 1} are missing")
        if not self._is_first:
            self.skipped = (after, first_seq - 1)

    def _explains(self, first: int, last: int) -> bool:
        for lost_first, lost_last, _ in self._losses:
            if lost_first <= first <= lost_last:
                first = lost_last + 1
        return first > last

    def _advance(self, accepted: int) -> None:
        """Move on, also over what was lost right behind; forget losses that lie behind."""
        for first, last, has_rows_between in self._losses:
            if not has_rows_between and first <= accepted + 1:
                accepted = max(accepted, last)
        self._losses = [loss for loss in self._losses if loss[1] > accepted]
        self.accepted = accepted
