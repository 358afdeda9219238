"""One check of one intent or journey on one store, as a value that can be named, selected and run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.testing.endings import Broken, NotApplicable, Skipped
from symphainy_platform.testing.report import Finding, Verdict
from symphainy_platform.testing.stores import StoreBinding
from symphainy_platform.testing.world import Worlds

CHECK_SECONDS = 30.0
"""Real seconds after which a check that does not end has failed: somebody is stranded."""

Action = Callable[[Worlds], Awaitable[Sequence[str]]]
"""Makes the check and returns the problems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A check that has not been made yet."""

    binding: StoreBinding
    plugins: Sequence[object] = ()
    contracts: Catalog
    subject: str
    check: str
    action: Action | None
    """None when there is no service to attack."""
    expected_failure: str | None = None
    """Why the contract's author expects it to fail."""

    @property
    def name(self) -> str:
        """Unique within a run."""
        return f"{self.binding.name}-{self.subject}-{self.check}"

    async def run(self, folder: Path) -> Finding:
        """Make the check in an empty folder. Whatever happens is a finding."""
        if self.action is None:
            return self._finding(Verdict.UNIMPLEMENTED, "the contract has no service yet")
        try:
            problems = await self._problems(self.action, Worlds(folder, self.binding, self.plugins, self.contracts))
        except NotApplicable as reason:
            return self._finding(Verdict.NOT_APPLICABLE, str(reason))
        except Skipped as reason:
            return self._finding(Verdict.SKIPPED, str(reason))
        return self._judged(problems)

    async def _problems(self, action: Action, worlds: Worlds) -> Sequence[str]:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                return await action(worlds)
        except (NotApplicable, Skipped):
            raise
        except Broken as problem:
            return [str(problem)]
        except TimeoutError:
            return [f"it did not end within {CHECK_SECONDS:.0f} s"]
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise
        except BaseException as error:  # noqa: BLE001 - the plugin boundary: a service may raise anything, pytest.skip too
            return [f"{type(error).__name__}: {error}"]

    def _judged(self, problems: Sequence[str]) -> Finding:
        if self.expected_failure is None:
            return self._finding(Verdict.FAILED if problems else Verdict.PASSED, problems=problems)
        if problems:
            return self._finding(Verdict.EXPECTED_FAILURE, self.expected_failure, problems)
        return self._finding(Verdict.UNEXPECTED_PASS, f"it was expected to fail: {self.expected_failure}")

    def _finding(self, verdict: Verdict, reason: str = "", problems: Sequence[str] = ()) -> Finding:
        return Finding(
            store=self.binding.name,
            subject=self.subject,
            check=self.check,
            verdict=verdict,
            reason=reason,
            problems=tuple(dict.fromkeys(problems)),
        )
