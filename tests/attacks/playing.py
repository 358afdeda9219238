"""Plays groups of cases, each group on a server of its own; cases that change nothing share a scene."""

from contextlib import ExitStack, contextmanager

from attacks.attacked import attacked
from attacks.cases import NOTHING, check
from attacks.groups import GROUPS, SETTINGS
from attacks.groups.steps import PREPARED
from attacks.scene import HOUR, Scene


class Playing:
    """The servers that are open, and one scene of each that nothing has changed so far."""

    def __init__(self, folders, stack):
        self._folders = folders
        self._stack = stack
        self._group = self._server = self._shared = self._last = None

    @classmethod
    @contextmanager
    def on(cls, folders):
        with ExitStack() as stack:
            yield cls(folders, stack)

    def play(self, group, name):
        """Play one case; raises AssertionError when it does not hold."""
        case = GROUPS[group][name]
        server = self._server_of(group)
        if case.leaves != NOTHING:
            check(case, Scene(server))
            return
        try:
            check(case, self._scene_of(server, case))
        except AssertionError:
            self._shared = self._last = None
            raise

    def _scene_of(self, server, case):
        """A scene that earlier attacks have left as it was, if there is one that this case may share."""
        now = server.clock.now()
        if PREPARED.issuperset(case.before):
            if self._shared is None or (now - self._shared.made_at).total_seconds() > HOUR:
                self._shared = Scene(server)
            return self._shared
        if self._last is None or self._last.prepared_by != case.before or self._last.ready_at != now:
            self._last = Scene(server)
        return self._last

    def _server_of(self, group):
        if group != self._group:
            self._stack.close()
            folder = self._folders.mktemp("attacked")
            self._server = self._stack.enter_context(attacked(folder, **SETTINGS.get(group, {})))
            self._group = group
            self._shared = self._last = None
        return self._server
