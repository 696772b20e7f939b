"""What the verdict expects when the rows of one node lie in two outboxes."""

from hub.outbox.directory import Directory
from tools.demo.run import numbers_given


def outbox(epoch: int, **last_seqs: int) -> Directory:
    """The directory of an outbox with streams of epoch 7."""
    directory = Directory(epoch)
    for key, last_seq in last_seqs.items():
        directory.assign(directory.ref_of(key, 7), last_seq)
    return directory


def test_a_stream_in_two_outboxes_counts_once_up_to_its_highest_number() -> None:
    first, second = outbox(1, tank=20, well=9), outbox(2, tank=12, well=30)

    assert numbers_given([first, second]) == {("tank", 7): 20, ("well", 7): 30}


def test_streams_of_different_epochs_are_different_streams() -> None:
    first, second = outbox(1, hub=4), Directory(2)
    second.assign(second.ref_of("hub", 2), 5)

    assert numbers_given([first, second]) == {("hub", 7): 4, ("hub", 2): 5}
