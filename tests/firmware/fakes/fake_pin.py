"""A pin that remembers what it was set to, and calls back on an edge."""


class FakePin:
    IN = 0
    OUT = 1

    def __init__(self):
        self.levels = []
        self.mode = None
        self.handler = None
        self.is_hard = None

    def init(self, mode, value=None):
        self.mode = mode
        self.value(value)

    def value(self, level=None):
        if level is not None:
            assert self.mode == self.OUT
            self.levels.append(level)
        return self.levels[-1] if self.levels else 0

    def irq(self, handler, trigger, hard=False):
        self.handler = handler
        self.is_hard = hard

    def edge(self):
        self.handler(self)
