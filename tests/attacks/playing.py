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
        self._group = self._server = self._scene = None

    @classmethod
    @contextmanager
    def on(cls, folders):
        with ExitStack() as stack:
            yield cls(folders, stack)

    def play(self, group, name):
        """Play one case; raises AssertionError when it does not hold."""
        case = GROUPS[group][name]
        server = self._server_of(group)
        if case.leaves == NOTHING and PREPARED.issuperset(case.before):
            self._play_on_shared(server, case)
        else:
            check(server, case)

    def _play_on_shared(self, server, case):
        scene = self._shared(server)
        try:
            check(server, case, scene)
        except AssertionError:
            self._scene = None
            raise

    def _shared(self, server):
        now = server.clock.now()
        if self._scene is None or (now - self._scene.made_at).total_seconds() > HOUR:
            self._scene = Scene(server)
        return self._scene

    def _server_of(self, group):
        if group != self._group:
            self._stack.close()
            folder = self._folders.mktemp("attacked")
            self._server = self._stack.enter_context(attacked(folder, **SETTINGS.get(group, {})))
            self._group, self._scene = group, None
        return self._server
