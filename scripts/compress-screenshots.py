"""Reduces the screenshots of the documentation to 256 colors, and their size to about 40 %.

Requires Pillow. Files that already have a palette do not change.

Usage: python scripts/compress-screenshots.py
"""

from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).resolve().parents[1] / "docs/console"


def compress(file: Path) -> None:
    """Writes the file again with a palette, if it has none."""
    with Image.open(file) as image:
        if image.mode == "P":
            return
        colors = image.convert("RGB").quantize(
            256, Image.Quantize.MAXCOVERAGE, kmeans=4, dither=Image.Dither.NONE
        )
    before = file.stat().st_size
    colors.save(file, optimize=True)
    print(f"{file.name}: {before // 1024} KiB to {file.stat().st_size // 1024} KiB")


for path in sorted(FOLDER.glob("*.png")):
    compress(path)
