"""Thumbnails of a folder of pictures, made on all cores; they come in order, each when it is ready.

It paints the pictures itself, in a temporary folder. Needs Pillow: `pip install pillow`.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from conveyor_rx import Workers, single_task

try:
    from PIL import Image
except ImportError:
    raise SystemExit("this example needs Pillow: pip install pillow") from None

PICTURES = 12
LARGE, SMALL = (1600, 1200), (160, 120)

workers = Workers("processes")  # as many as there are processors


class Thumbnail(NamedTuple):
    path: Path
    size: tuple[int, int]
    process: int


@single_task(executor=workers)
def paint(number: int, folder: Path) -> Path:
    """Paint a part of the Mandelbrot set, each time a smaller one."""
    width, x, y = 3.0 * 0.6**number, -0.7436, 0.1318
    extent = (x - width / 2, y - width * 3 / 8, x + width / 2, y + width * 3 / 8)
    path = folder / f"zoom-{number:02}.png"
    Image.effect_mandelbrot(LARGE, extent, 60).save(path, compress_level=1)
    return path


@single_task(executor=workers)
def shrink(path: Path) -> Thumbnail:
    """Write a small copy beside a picture. Only names travel: the pixels stay in the worker."""
    small = path.with_suffix(".jpg")
    with Image.open(path) as picture:
        picture.thumbnail(SMALL, Image.Resampling.LANCZOS)
        picture.save(small)
        return Thumbnail(small, picture.size, os.getpid())


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder, workers:  # the same processes for both runs
        paths = await paint.with_inputs(Path(folder))(range(PICTURES)).collect()
        print(f"{len(paths)} pictures of {LARGE[0]} x {LARGE[1]} pixels")

        processes: set[int] = set()
        start, first = time.perf_counter(), 0.0
        async for thumbnail in shrink(paths):
            first = first or time.perf_counter() - start
            processes.add(thumbnail.process)
            print("{}: {} x {}".format(thumbnail.path.name, *thumbnail.size))
        took = time.perf_counter() - start
        print(f"made by {len(processes)} processes in {took:.2f} s, the first after {first:.2f} s")


if __name__ == "__main__":
    asyncio.run(main())
