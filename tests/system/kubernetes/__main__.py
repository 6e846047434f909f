"""`python -m tests.system.kubernetes`: the manifests against the schemas of Kubernetes, where no member may be unknown.

Each file is checked, and with kubectl or kustomize at hand what they build of each kustomization, too.
Exit codes: 0 all of it fits; 1 something does not; 2 it could not be checked.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.system.kubernetes import AUTOSCALED, FOLDER, OPTIONAL, PARTS, ROOT, SECRETS, assembled

VALIDATOR = ROOT / ".venv-tools/bin/kubernetes-validate"
VERSIONS = ("1.29", "1.37")
"""The oldest that is meant to work, and the newest that the validator knows."""
WHOLE = (*PARTS, *(f"autoscaled/{part}" for part in AUTOSCALED))
BUILT = (*(FOLDER / part for part in WHOLE), *(FOLDER / "example" / part for part in PARTS))


def built(folder: Path) -> str | None:
    """What kustomize makes of a folder, or None where there is no kustomize.

    Raises:
        CalledProcessError: it makes nothing of it; the reason is on standard error.
    """
    for program in (("kubectl", "kustomize"), ("kustomize", "build")):
        if shutil.which(program[0]):
            command = [*program, str(folder)]
            return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout
    return None


def _with_less(scratch: Path) -> Path:
    """A kustomization of somebody who leaves out what can be left out, of what is autoscaled."""
    scratch.mkdir()
    folders = [FOLDER / "autoscaled/services", *(FOLDER / "without" / name for name in OPTIONAL)]
    first, *others = (os.path.relpath(folder.resolve(), scratch.resolve()) for folder in folders)
    kustomization = {"kind": "Kustomization", "resources": [first], "components": others}
    (scratch / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return scratch


def _files(scratch: Path) -> Iterator[Path]:
    yield SECRETS
    for number, part in enumerate(WHOLE):
        file = scratch / f"{number}.yaml"
        file.write_text(yaml.safe_dump_all(assembled(FOLDER / part)))
        yield file
    for number, folder in enumerate((*BUILT, _with_less(scratch / "less"))):
        text = built(folder)
        if text is None:
            sys.stdout.write("NOT BUILT: there is neither kubectl nor kustomize here\n")
            return
        file = scratch / f"built-{number}.yaml"
        file.write_text(text)
        yield file


def main() -> int:
    """Check all of it; the exit code."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            files = list(_files(Path(scratch)))
            for version in VERSIONS:
                command = [str(VALIDATOR), "--kubernetes-version", version, "--strict", "--quiet", *map(str, files)]
                if subprocess.run(command, check=False, timeout=300).returncode:
                    return 1
        except subprocess.CalledProcessError:
            return 1
        except (OSError, subprocess.TimeoutExpired) as error:
            sys.stderr.write(f"{error}\n")
            return 2
    sys.stdout.write(f"{len(files)} files fit Kubernetes {' and '.join(VERSIONS)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
