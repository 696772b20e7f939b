"""Commands for running simulated nodes, one per line."""

from typing import Any

from hub.errors import OperatorNeeded, PenstockError
from tools.sim_nodes.group import SimulatedNodes
from tools.sim_nodes.process import NodeProcess

HELP = """\
air NODE on|off            the node has Wi-Fi, or none
set NODE SENSOR VALUE      fix what a sensor sees: adc26 in microvolts, uart1 in mm, onewire4 in 0.01 degrees,
                           pulse6 in pulses a second, battery in mV
kill NODE                  its power goes, between two writes most likely
cut NODE                   its power goes in the middle of its next write to flash
on NODE                    its power is back
memory NODE                bytes in use and free, after a collection
quit                       end
NODE may be "all"."""

_WHERE = "simulated nodes"
_WORDS = {"air": 3, "set": 4, "kill": 2, "cut": 2, "on": 2, "memory": 2}


class Quit(Exception):
    """The command to end."""


class Control:
    """Obeys commands. Each gives an answer that JSON can carry."""

    def __init__(self, nodes: SimulatedNodes) -> None:
        self._nodes = nodes.nodes

    async def obey(self, line: str) -> dict[str, Any]:
        """Do what a line says. Raises Quit."""
        words = line.split()
        if not words:
            return {}
        if words[0] == "quit":
            raise Quit
        if words[0] == "help":
            return {"help": HELP.splitlines()}
        try:
            return {"done": " ".join(words)} | await self._do(words)
        except PenstockError as error:
            return {"error": str(error)}

    async def _do(self, words: list[str]) -> dict[str, Any]:
        if _WORDS.get(words[0]) != len(words):
            raise OperatorNeeded(f"cannot read {' '.join(words)!r}", where=_WHERE, hint='say "help"')
        answer: dict[str, Any] = {}
        for node in self._chosen(words[1]):
            if words[0] == "memory":
                answer[node.device_key] = await node.memory()
            else:
                await self._tell(node, words)
        return answer

    async def _tell(self, node: NodeProcess, words: list[str]) -> None:
        if words[0] == "kill":
            await node.power_off()
        elif words[0] == "cut":
            await node.cut_power()
        elif words[0] == "on":
            await node.power_off()
            await node.power_on()
        elif words[0] == "air":
            node.say(f"air {_one_of(words[2], 'on', 'off')}")
        else:
            node.say(f"set {words[2]} {_whole(words[3])}")

    def _chosen(self, word: str) -> list[NodeProcess]:
        if word == "all":
            return list(self._nodes.values())
        if word not in self._nodes:
            hint = f"there are: {', '.join(self._nodes)}"
            raise OperatorNeeded(f"no node {word!r}", where=_WHERE, hint=hint)
        return [self._nodes[word]]


def _one_of(word: str, *words: str) -> str:
    if word not in words:
        raise OperatorNeeded(f"{word!r} is none of {', '.join(words)}", where=_WHERE)
    return word


def _whole(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise OperatorNeeded(f"{word!r} is not a whole number", where=_WHERE) from None
