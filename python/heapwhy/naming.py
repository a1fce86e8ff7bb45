# SPDX-License-Identifier: Apache-2.0
"""What classes are called in answers."""

_QUALNAME = type.__dict__["__qualname__"].__get__
_MODULE = type.__dict__["__module__"].__get__


def type_name(cls: type) -> str:
    """module.qualname, without the module for builtins. No code of a metaclass runs."""
    try:
        module = _MODULE(cls)
    except AttributeError:
        module = None
    name = _QUALNAME(cls)
    return "%s.%s" % (module, name) if isinstance(module, str) and module != "builtins" else name


def name_of_type(obj: object) -> str:
    """type_name() of an object's type."""
    return type_name(type(obj))
