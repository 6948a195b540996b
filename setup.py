"""Build the wheel from the sources alone; all else about the package is in pyproject.toml.

setuptools keeps what it builds in build/, and would put a file there into the next wheel although its source
has been deleted since.
"""

import shutil

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildFromSources(build_py):
    """The step build_py, without what an earlier build left."""

    def run(self) -> None:
        """Delete build/lib, then copy the sources there."""
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(cmdclass={"build_py": BuildFromSources})
