"""The locale in which the commands show amounts."""

from collections.abc import Mapping

LANGUAGE = "BUSWARE_LANGUAGE"
_VARIABLES = (LANGUAGE, "LC_ALL", "LC_MONETARY", "LANG")  # the first that is set decides


def locale_of(environment: Mapping[str, str]) -> str:
    """The locale that the environment names, such as en_IN of en_IN.UTF-8; "" for C and POSIX."""
    named = next((environment[name] for name in _VARIABLES if environment.get(name)), "")
    locale = named.partition(".")[0].partition("@")[0].replace("-", "_")
    return "" if locale in ("C", "POSIX") else locale
