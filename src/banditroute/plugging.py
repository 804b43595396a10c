"""Users' own code, named in a configuration as module:name."""

from __future__ import annotations

from pkgutil import resolve_name

from banditroute.errors import ConfigError


def plugged(name: str, what: str) -> object:
    """What stands at module:name; the name may be dotted, as in module:Class.method.

    What else a module raises while it is imported comes through, for its traceback says where.

    Args:
        name: where it stands.
        what: what it is to be, for the error.

    Raises:
        ConfigError: there is no such module, it cannot be read, or has nothing of that name.
    """
    try:
        return resolve_name(name)
    except (ImportError, AttributeError, ValueError, SyntaxError) as error:
        reason = str(error).partition("\n")[0]
        remedy = "check module:name, and that Python finds the module (install it, or set PYTHONPATH)"
        raise ConfigError(f"the {what} {name!r} is not found: {reason}", remedy=remedy) from error
