"""What the orders of orders.py do to this node. In memory only while one is carried out."""

from firmware.node import calibration
from firmware.node.orders import NAMES, CannotDo


class Acts:
    """The acts of one node: a method for each of orders.NAMES. Each may return a text for the result."""

    def __init__(self, node) -> None:
        self._node = node

    def by_name(self) -> dict:
        """Return the acts by their names."""
        return {name: getattr(self, name) for name, _ in NAMES}

    def identify(self) -> None:
        """Blink, so that a person finds the node: with the output of that name, or the board's own light."""
        board = self._node.board
        pin = self._node.configuration.settings.outputs.get("identify", board.led_pin)
        if pin is None:
            raise CannotDo("no light is known; an output called identify would be one")
        board.blink(pin)

    def reboot(self) -> str:
        """Restart, once the answer has gone out."""
        self._node.restart("told to restart")
        return "restarting"

    def sample_now(self) -> None:
        """Sample everything now."""
        node = self._node
        if not node.sampling.plan.groups:
            raise CannotDo("this node measures nothing now")
        (node.waking or node.sampling).sample_now()

    def set_interval(self, kind: str, interval_s: int) -> str:
        """Sample in another rhythm until the next start or configuration."""
        node = self._node
        if node.waking is not None:
            raise CannotDo("it sleeps, in the rhythm of its configuration")
        self._group(kind).set_interval(interval_s * 1000, node.ticks.now_ms())
        node.progress.expect_every(node.sampling.plan.slowest_ms)
        return "%s every %d s" % (kind, interval_s)

    def set_output(self, name: str, value: int) -> None:
        """Switch what the configuration calls by that name."""
        pins = self._node.configuration.settings.outputs
        if name not in pins:
            raise CannotDo("no output %s; there are %s" % (name, ", ".join(sorted(pins)) or "none"))
        self._node.board.output(pins[name], value)

    def calibrate(self, kind: str, metric: str, scale_ppm: int, offset: int) -> None:
        """Make value * scale_ppm / 1000000 + offset of a metric from now on; offset in its last decimal."""
        fields = {field.name: field.id for field in self._group(kind).kind.fields}
        if metric not in fields:
            raise CannotDo("%s has no %s" % (kind, metric))
        self._node.calibration[fields[metric]] = (scale_ppm, offset)
        calibration.keep(self._node.start.root, self._node.calibration)

    def update(self) -> None:
        """Begin again with what the hub offers next."""
        self._node.update.close()

    def _group(self, kind: str):
        group = self._node.sampling.plan.group_of(kind)
        if group is None:
            raise CannotDo("this node does not measure %s" % kind)
        return group
