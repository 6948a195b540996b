"""Build the wheel from the current sources. pyproject.toml describes the package.

setuptools keeps its output in build/, and would package a file there even after its source was deleted.
"""

import shutil

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildFromSources(build_py):
    """The build step build_py, without the output of earlier builds."""

    def run(self) -> None:
        """Delete build/lib, then copy the sources there."""
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(cmdclass={"build_py": BuildFromSources})
