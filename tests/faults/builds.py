"""Other builds of the services: copies of the code with small patches, which run beside this build."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.faults.cluster import ServiceProcess

_ROOT = Path(__file__).parents[2]
_PACKAGES = ("domain", "projections", "services")


@dataclass(frozen=True)
class Patch:
    """Replaces a text that occurs once in a file."""

    file: str
    old: str
    new: str

    def apply(self, folder: Path) -> None:
        """Patch the file in a copy of the code; fails if this build has changed there."""
        path = folder / self.file
        text = path.read_text()
        assert text.count(self.old) == 1, f"{self.file} has not exactly one {self.old!r}"
        path.write_text(text.replace(self.old, self.new))


class Build:
    """A patched copy of the code in its own folder."""

    def __init__(self, folder: Path, patches: tuple[Patch, ...]) -> None:
        self._folder = folder
        for package in _PACKAGES:
            shutil.copytree(
                _ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
            )
        for patch in patches:
            patch.apply(folder)
        with (folder / "domain" / "__init__.py").open("a") as module:
            module.write(f"\nimport sys\n\nsys.stderr.write({self._announcement!r})\n")

    @property
    def environment(self) -> Mapping[str, str]:
        """What a service process needs to run this build. Its log then starts with the announcement."""
        return {"PYTHONPATH": str(self._folder)}

    def runs_in(self, service: ServiceProcess) -> bool:
        """Whether the process has run the code of this build, and not that of the tests."""
        return self._announcement in service.log()

    @property
    def _announcement(self) -> str:
        return f"this build runs from {self._folder}\n"
