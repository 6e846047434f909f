"""`python -m tests.system.dependencies.licences`: write docs/licences.md anew, from what the installed packages say."""

from importlib.metadata import metadata

from tests.system.dependencies import ROOT, pinned

PAGE = ROOT / "docs/licences.md"
_HEAD = """\
# Licences

Of the packages that the service runs on, as they state them themselves. Written by `make licences` from
[requirements.lock](../requirements.lock); a test compares the two.

| package | version | licence |
|---|---|---|
"""
_CLASSIFIER = "License :: "


def licence(package: str) -> str:
    """What the installed package says its licence is, in the best of the three places for it."""
    told = metadata(package)
    if "License-Expression" in told:
        return told["License-Expression"]
    classifiers = [one for one in told.get_all("Classifier") or () if one.startswith(_CLASSIFIER)]
    if classifiers:
        return ", ".join(sorted({one.rpartition(" :: ")[2] for one in classifiers}))
    return told["License"].strip().partition("\n")[0] if "License" in told else "not stated"


def page() -> str:
    """The page."""
    return _HEAD + "".join(f"| {name} | {version} | {licence(name)} |\n" for name, version in pinned().items())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
