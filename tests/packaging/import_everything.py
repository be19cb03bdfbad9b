"""Imports every module of the three packages, with whatever environment runs it."""

import importlib
import pkgutil

PACKAGES = ("bot", "commands", "storage")


def module_names(package: str) -> list[str]:
    """Give the names of `package` and of all modules below it, `__main__` aside (it would run)."""
    found = pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")
    return [package, *(m.name for m in found if not m.name.endswith(".__main__"))]


if __name__ == "__main__":
    for package in PACKAGES:
        for name in module_names(package):
            importlib.import_module(name)
