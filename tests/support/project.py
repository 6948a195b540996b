"""Where the project is: the checkout that holds these tests."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
