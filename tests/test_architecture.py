"""The shape of the house: which way imports point, who may import what, how long a module may be."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# A module may import its own layer and those above it in this list; modules of one line may not import each other.
LAYERS = (
    ("cowvision.errors",),
    ("cowvision.data",),
    ("cowvision.models",),
    ("cowvision.detection_box",),
    ("cowvision.evaluation", "cowvision.training", "cowvision.tracking"),
    ("cowvision.viz", "cowvision.workspace"),
    ("cowvision.ui", "cowvision.commands"),
    ("pages", "cowvision.__main__"),
    ("app",),
)

# DetectionBox.train and .evaluate are the tutorial's front for these; it imports them inside the methods only.
FRONT_DOORS = {
    ("cowvision.detection_box", "cowvision.training"),
    ("cowvision.detection_box", "cowvision.evaluation"),
}

ADAPTERS = {
    "torchmetrics": {"cowvision.evaluation.metrics"},
    "norfair": {"cowvision.tracking.tracker"},
    "motmetrics": {"cowvision.tracking.identity"},
    "detectron2": {"cowvision.models.detectron2_engine"},
    "safetensors": {"cowvision.models.weights"},
    "sqlite3": {"cowvision.workspace.store"},
    "pillow_heif": {"cowvision.data.pictures"},
    "psutil": {"cowvision.workspace.job_process"},
    "ultralytics": set(),
    "bpy": set(),
}


def product_files() -> list[Path]:
    return [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py")), *sorted((ROOT / "cowvision").rglob("*.py"))]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(tree: ast.AST, *, anywhere: bool = True) -> Iterator[str]:
    """Names of imported modules; `from a import b` gives a and a.b."""
    for node in ast.walk(tree) if anywhere else ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of(module: str) -> tuple[int, str] | None:
    for depth, names in enumerate(LAYERS):
        for name in names:
            if module == name or module.startswith(f"{name}."):
                return depth, name
    return None


@pytest.mark.parametrize("path", product_files(), ids=module_name)
def test_imports_point_one_way(path: Path) -> None:
    module = module_name(path)
    if module == "cowvision":
        return  # the public names; it imports nothing until they are used
    place = layer_of(module)
    assert place is not None, f"{module} has no place among the layers"
    for imported in imports_of(ast.parse(path.read_text(encoding="utf-8"))):
        target = layer_of(imported)
        if target is None or target == place or (place[1], target[1]) in FRONT_DOORS:
            continue
        assert target[0] < place[0], f"{module} imports {imported}: that arrow points back"


def test_front_doors_open_only_inside_functions() -> None:
    tree = ast.parse((ROOT / "cowvision" / "detection_box.py").read_text(encoding="utf-8"))
    at_import = {layer_of(name) for name in imports_of(tree, anywhere=False)}
    assert not {place[1] for place in at_import if place} & {target for _, target in FRONT_DOORS}


@pytest.mark.parametrize("path", product_files(), ids=module_name)
def test_outside_libraries_have_one_adapter(path: Path) -> None:
    module = module_name(path)
    for imported in imports_of(ast.parse(path.read_text(encoding="utf-8"))):
        library = imported.split(".")[0]
        assert module in ADAPTERS.get(library, {module}), f"{module} imports {library}"


@pytest.mark.parametrize("path", product_files(), ids=module_name)
def test_only_the_screens_know_streamlit(path: Path) -> None:
    module = module_name(path)
    on_screen = module == "app" or module.startswith(("pages.", "cowvision.ui"))
    imported = {name.split(".")[0] for name in imports_of(ast.parse(path.read_text(encoding="utf-8")))}
    assert on_screen or not imported & {"streamlit", "streamlit_drawable_canvas"}


def test_no_module_is_long() -> None:
    files = [*product_files(), *(ROOT / "assets" / "studio").rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: lines for name, lines in lengths.items() if lines > 250} == {}


def test_importing_the_package_imports_no_torch() -> None:
    code = "import sys, cowvision; print([n for n in ('torch', 'torchvision', 'streamlit', 'cv2') if n in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
FAULTS = """
import resource, sys
import cowvision, torch
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.empty(16_000_000).fill_(1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not HUGE_PAGES.is_file() or "[never]" in HUGE_PAGES.read_text(), reason="no large pages here")
def test_large_tensors_come_in_large_pages_unless_somebody_said_no() -> None:
    told = {name: value for name, value in os.environ.items() if name != "THP_MEM_ALLOC_ENABLE"}
    faults = [
        int(subprocess.run(
            [sys.executable, "-c", FAULTS], cwd=ROOT, env=told | more, capture_output=True, text=True, check=True
        ).stdout)
        for more in ({}, {"THP_MEM_ALLOC_ENABLE": "0"})
    ]  # fmt: skip
    assert faults[0] < 4_000, "64 MB are 16,000 small pages"
    if "[madvise]" in HUGE_PAGES.read_text():
        assert faults[1] > 12_000


def test_every_public_name_is_there() -> None:
    import cowvision

    assert all(hasattr(cowvision, name) for name in cowvision.__all__)
