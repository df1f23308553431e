"""Render the herd: ``python -m studio JOB`` (see README.md)."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

from studio.jobs import Run

JOBS = {
    "sprites": "cut-out animals for composing training scenes",
    "plates": "landscapes with depth for composing training scenes",
    "test-herd": "annotated pictures of animals and places that training never sees",
    "stills": "the showcase pictures",
    "clips": "the showcase clips",
    "truth-check": "small scenes rendered both ways, for the tests",
    "pack": "write what ships from what was rendered (needs Pillow, OpenCV and PyAV, not Blender)",
}
MODULES = {"test-herd": "testherd", "truth-check": "truthcheck", "pack": "packing"}


def main() -> None:
    """Parse the command line and run one job or, in their order, all but the truth check."""
    options = _parser().parse_args()
    _silence_blender()
    shard, shards = options.shard
    run = Run(options.out, options.assets, options.seed, options.count, shard, shards)
    names = [name for name in JOBS if name != "truth-check"] if options.job == "all" else [options.job]
    for name in names:
        importlib.import_module(f"studio.{MODULES.get(name, name)}").run(run)


def _silence_blender() -> None:
    """Keep the terminal for our own lines: Blender writes several for every picture to standard output."""
    ours = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = os.fdopen(ours, "w", buffering=1)


def _parser() -> argparse.ArgumentParser:
    jobs = "\n".join(f"  {name:12} {what}" for name, what in JOBS.items())
    parser = argparse.ArgumentParser(
        prog="studio", description=f"Render the herd.\n\njobs:\n{jobs}", formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("job", choices=[*JOBS, "all"], metavar="JOB", help="one of the jobs above, or all")
    parser.add_argument("--count", type=int, help="how many items, counted from the first (default: the job's own)")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything (default: 0)")
    parser.add_argument("--shard", type=_shard, default=(0, 1), metavar="I/N", help="do only part I (from 0) of N")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "build", help="working folder")
    parser.add_argument("--assets", type=Path, default=Path(__file__).parents[1], help="folder of what ships (pack)")
    return parser


def _shard(text: str) -> tuple[int, int]:
    try:
        part, parts = map(int, text.split("/"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected I/N such as 0/2, got {text!r}") from None
    if not 0 <= part < parts:
        raise argparse.ArgumentTypeError(f"expected I/N with 0 <= I < N, got {text!r}")
    return part, parts


if __name__ == "__main__":
    main()
