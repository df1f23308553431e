"""Label in a real browser: what the mouse draws is what the store holds, and nothing acknowledged is ever lost."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from cowvision.ui.canvas import MARGIN
from cowvision.workspace.herds import LabelState, add_picture, create_herd, pictures_of
from cowvision.workspace.labels import Labels, current, history, save
from cowvision.workspace.store import Store
from tests.browser import server
from tests.browser.watched import Watched
from tests.samples import encoded, noise, truth

pytestmark = pytest.mark.browser
SIZE = (1600, 1066)
SOON = 30_000  # milliseconds


class Labeller(Watched):
    """The page with a herd of three pictures, and the store behind it."""

    def __init__(self, page: Page, home: Path) -> None:
        super().__init__(page)
        self.store = Store(home / "workspace.sqlite3")

    @property
    def canvas(self) -> Locator:
        return self.page.locator("canvas.upper-canvas")

    @property
    def labels(self) -> Labels:
        """What is stored of the picture in the address."""
        wanted = self.page.evaluate("new URLSearchParams(location.search).get('picture')")
        ids = [one.picture_id for one in pictures_of(self.store, 1)]
        return current(self.store, 1, next(one for one in ids if one.startswith(wanted)))

    @property
    def scale(self) -> float:
        """Picture pixels a canvas pixel."""
        return SIZE[0] / (self.canvas.bounding_box()["width"] - 2 * MARGIN)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """From one place of the canvas to another, in canvas pixels."""
        expect(self.canvas).to_have_count(1, timeout=SOON)  # for a moment the one before is still there
        box = self.canvas.bounding_box()
        mouse = self.page.mouse
        mouse.move(box["x"] + start[0], box["y"] + start[1])
        mouse.down()
        mouse.move(box["x"] + (start[0] + end[0]) / 2, box["y"] + (start[1] + end[1]) / 2, steps=4)
        mouse.move(box["x"] + end[0], box["y"] + end[1], steps=4)
        mouse.up()

    def draw(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw a box and wait until the page says that it is saved."""
        before = self.labels.revision
        self.drag(start, end)
        self.saved_after(before)

    def saved_after(self, revision: int) -> None:
        """Wait for a newer revision than this one."""
        for _ in range(200):
            if self.labels.revision > revision:
                break
            self.page.wait_for_timeout(100)
        assert self.labels.revision > revision
        self.settled()

    def edit_mode(self) -> None:
        """Turn the pencil on."""
        self.canvas.hover()
        self.page.get_by_title("Edit").click()

    def in_picture(self, *canvas: float) -> np.ndarray:
        """Canvas pixels as pixels of the picture."""
        return (np.array(canvas) - MARGIN) * self.scale

    def near(self, wanted: np.ndarray, pixels: int = 1) -> bool:
        """Whether the first stored box is where it should be, to within so many pixels of the screen."""
        return bool(np.abs(self.labels.boxes.xyxy[0] - wanted).max() <= pixels * self.scale + 0.01)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).first.click()
        self.page.wait_for_timeout(500)
        self.settled()


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("label")


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with server.dashboard(home) as url:
        yield url


def fill(home: Path, monkeypatch) -> None:
    """One herd, three pictures, nothing labelled."""
    monkeypatch.setenv("COWVISION_HOME", str(home))
    store = Store(home / "workspace.sqlite3")
    with store.transaction() as connection:
        connection.execute("DELETE FROM herds")
        connection.execute("DELETE FROM sqlite_sequence WHERE name = 'herds'")
    herd = create_herd(store, "Meadow").herd_id
    for number in range(3):
        data = encoded(Image.fromarray(noise(*SIZE, seed=number)), "JPEG", quality=80)
        add_picture(store, herd, data, f"p{number}.jpg", SIZE)


@contextmanager
def labelling(browser: Browser, address: str, home: Path, **options: object) -> Iterator[Labeller]:
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 1000}} | options)
    labeller = Labeller(context.new_page(), home)
    labeller.open(f"{address}/label?herd=1")
    expect(labeller.canvas).to_have_count(1, timeout=SOON)
    labeller.settled()
    yield labeller
    context.close()
    assert labeller.complaints == []


@pytest.fixture
def labeller(browser: Browser, address: str, home: Path, monkeypatch) -> Iterator[Labeller]:
    fill(home, monkeypatch)
    with labelling(browser, address, home) as opened:
        yield opened


@pytest.mark.parametrize("ratio", [1, 2])
def test_a_box_drawn_moved_and_resized_is_where_the_mouse_put_it(browser, address, home, monkeypatch, ratio) -> None:
    fill(home, monkeypatch)
    with labelling(browser, address, home, device_scale_factor=ratio) as labeller:
        labeller.draw((100, 120), (300, 260))
        assert labeller.near(labeller.in_picture(100, 120, 300, 260))
        labeller.edit_mode()
        before = labeller.labels.revision
        labeller.drag((200, 200), (260, 230))
        labeller.saved_after(before)
        assert labeller.near(labeller.in_picture(160, 150, 360, 290))
        before = labeller.labels.revision
        labeller.drag((361, 220), (421, 220))  # the handle in the middle of the right side
        labeller.saved_after(before)
        # the handle sits on the outer edge of a line two pixels wide
        assert labeller.near(labeller.in_picture(160, 150, 420, 290), pixels=2)
        assert len(labeller.labels.boxes) == 1


def test_delete_and_backspace_delete_the_selected_box_only(labeller: Labeller) -> None:
    page = labeller.page
    labeller.draw((100, 120), (200, 220))
    labeller.draw((300, 120), (400, 220))
    labeller.draw((500, 120), (600, 220))
    before = labeller.labels.revision
    page.keyboard.press("Delete")
    page.wait_for_timeout(600)
    assert labeller.labels.revision == before, "nothing is selected"
    labeller.edit_mode()
    for number, key in enumerate(("Delete", "Backspace")):
        box, before = labeller.canvas.bounding_box(), labeller.labels.revision
        page.mouse.click(box["x"] + 150 + 200 * number, box["y"] + 170)
        page.keyboard.press(key)
        labeller.saved_after(before)
    assert labeller.near(labeller.in_picture(500, 120, 600, 220)) and len(labeller.labels.boxes) == 1


def test_delete_in_a_field_is_for_the_field(labeller: Labeller) -> None:
    page = labeller.page
    labeller.draw((100, 120), (200, 220))
    labeller.edit_mode()
    box, before = labeller.canvas.bounding_box(), labeller.labels.revision
    page.mouse.click(box["x"] + 150, box["y"] + 170)
    page.get_by_role("combobox", name="New boxes are").focus()
    page.keyboard.press("Backspace")
    page.wait_for_timeout(600)
    assert labeller.labels.revision == before


def test_a_corner_moves_both_sides_freely(labeller: Labeller) -> None:
    labeller.draw((100, 120), (300, 260))
    labeller.edit_mode()
    box, before = labeller.canvas.bounding_box(), labeller.labels.revision
    labeller.page.mouse.click(box["x"] + 200, box["y"] + 200)
    labeller.drag((301, 261), (321, 401))
    labeller.saved_after(before)
    assert labeller.near(labeller.in_picture(100, 120, 320, 400), pixels=2)


def test_a_box_moved_off_the_picture_comes_back_and_the_pencil_stays(labeller: Labeller) -> None:
    page = labeller.page
    labeller.draw((100, 120), (300, 260))
    told = labeller.labels
    labeller.edit_mode()
    labeller.drag((200, 200), (200, -200))
    expect(page.get_by_test_id("stToast")).to_contain_text("moved beyond the picture", timeout=SOON)
    labeller.settled()
    assert labeller.labels.revision == told.revision
    assert page.get_by_title("Edit").get_attribute("aria-pressed") == "true"
    labeller.drag((200, 200), (50, 200))
    labeller.saved_after(told.revision)
    assert labeller.near(labeller.in_picture(MARGIN, 120, 150, 260), pixels=2)
    page.wait_for_timeout(800)
    before = labeller.labels.revision
    labeller.drag((80, 200), (180, 200))  # what hung over the edge is not there any more
    labeller.saved_after(before)
    assert labeller.near(labeller.in_picture(MARGIN + 100, 120, 250, 260), pixels=2)


def test_boxes_reach_the_pictures_edge(labeller: Labeller) -> None:
    size = labeller.canvas.bounding_box()
    labeller.draw((4, 5), (200, 180))
    labeller.draw((500, 300), (size["width"] - 4, size["height"] - 4))
    assert labeller.labels.boxes.xyxy[0].tolist()[:2] == [0, 0]
    assert labeller.labels.boxes.xyxy[1].tolist()[2:] == list(SIZE)


def test_boxes_are_there_after_another_picture_another_page_and_a_reload(labeller: Labeller) -> None:
    page = labeller.page
    labeller.draw((100, 120), (300, 260))
    first = labeller.labels
    labeller.press("Next")
    assert labeller.labels.revision == 0
    labeller.draw((50, 60), (150, 160))
    labeller.press("Previous")
    assert labeller.labels.boxes.xyxy.tolist() == first.boxes.xyxy.tolist()
    labeller.draw((400, 100), (500, 200))
    page.get_by_role("link", name="Home").first.click()
    expect(page.get_by_role("heading", name="Count your cows")).to_be_visible(timeout=SOON)
    labeller.settled()
    page.get_by_role("link", name="Label").first.click()
    expect(labeller.canvas).to_have_count(1, timeout=SOON)
    labeller.settled()
    labeller.draw((550, 100), (650, 200))
    assert len(labeller.labels.boxes) == 3, "the canvas began with what is stored"
    page.reload()
    labeller.settled()
    assert len(labeller.labels.boxes) == 3
    assert len(history(labeller.store, 1, pictures_of(labeller.store, 1)[0].picture_id)) == 3


def test_undo_redo_and_remove_all_by_button_and_key(labeller: Labeller) -> None:
    page = labeller.page
    labeller.draw((100, 120), (300, 260))
    labeller.draw((350, 120), (450, 260))
    labeller.press("Remove all boxes")
    assert len(labeller.labels.boxes) == 0
    before = labeller.labels.revision
    page.keyboard.press("Control+z")
    labeller.saved_after(before)
    assert len(labeller.labels.boxes) == 2
    before = labeller.labels.revision
    page.keyboard.press("Control+Shift+z")
    labeller.saved_after(before)
    assert len(labeller.labels.boxes) == 0
    labeller.press("Undo")
    labeller.draw((500, 120), (600, 260))
    assert len(labeller.labels.boxes) == 3, "the canvas followed"


def test_a_press_right_after_the_mouse_let_go_loses_no_box(labeller: Labeller) -> None:
    page = labeller.page
    first = pictures_of(labeller.store, 1)[0].picture_id
    labeller.drag((100, 120), (300, 260))
    page.keyboard.press("s")
    expect(page.get_by_text("picture 2 of 3")).to_be_visible(timeout=SOON)
    labeller.settled()
    kept = current(labeller.store, 1, first)
    assert (kept.state, len(kept.boxes)) == (LabelState.LABELLED, 1)


def test_a_bare_click_leaves_nothing(labeller: Labeller) -> None:
    box = labeller.canvas.bounding_box()
    labeller.page.mouse.click(box["x"] + 200, box["y"] + 200)
    labeller.page.wait_for_timeout(600)
    labeller.settled()
    assert labeller.labels.revision == 0
    labeller.draw((100, 120), (300, 260))
    assert len(labeller.labels.boxes) == 1


def test_a_number_edited_in_the_table_moves_the_box_on_the_canvas(labeller: Labeller) -> None:
    page = labeller.page
    labeller.draw((100, 120), (300, 260))
    before, old = labeller.labels, labeller.labels.boxes.xyxy[0]
    grid = page.locator('[data-testid="stDataFrame"] canvas').first
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    page.mouse.click(box["x"] + 150, box["y"] + 52)
    page.wait_for_timeout(300)
    page.keyboard.press("Enter")  # opens the cell
    page.wait_for_timeout(300)
    page.keyboard.press("Control+a")
    page.keyboard.type("20", delay=80)
    page.keyboard.press("Enter")
    labeller.saved_after(before.revision)
    assert labeller.labels.boxes.xyxy[0].tolist() == [20, *np.round(old[1:], 2)]
    labeller.canvas.scroll_into_view_if_needed()
    labeller.edit_mode()
    changed = labeller.labels.revision
    labeller.drag((40, 200), (60, 200))  # only a box that begins at 20 can be taken here
    labeller.saved_after(changed)
    moved = labeller.labels.boxes.xyxy[0]
    assert abs(moved[0] - (20 + 20 * labeller.scale)) <= 2 * labeller.scale


def test_two_tabs_on_one_picture(browser: Browser, address: str, home: Path, labeller: Labeller) -> None:
    with labelling(browser, address, home) as other:
        labeller.draw((100, 120), (300, 260))
        other.drag((400, 120), (600, 260))
        expect(other.page.get_by_text("were changed in the meantime")).to_be_visible(timeout=SOON)
        other.settled()
        assert len(other.labels.boxes) == 1
        assert other.page.locator("canvas.lower-canvas").count() >= 2, "both versions are drawn"
        other.press("Save mine over it")
        assert other.near(other.in_picture(400, 120, 600, 260))
        picture_id = pictures_of(other.store, 1)[0].picture_id
        notes = [one.note for one in history(other.store, 1, picture_id)]
        assert notes == ["saved over another version", "as it was", "put aside", "drawn"]
        labeller.press("Save and next")
        expect(labeller.page.get_by_text("changed in another tab")).to_be_visible(timeout=SOON)
        assert labeller.labels.state is LabelState.DRAFT, "nobody confirms what was not seen"


def test_what_another_tab_saved_is_not_overwritten_by_looking(labeller: Labeller) -> None:
    labeller.draw((100, 120), (300, 260))
    now = labeller.labels
    picture_id = pictures_of(labeller.store, 1)[0].picture_id
    theirs = save(labeller.store, 1, picture_id, truth([[5, 5, 300, 300]]), based_on=now.revision)
    labeller.press("Next")
    labeller.press("Previous")
    assert labeller.labels.revision == theirs.revision


@contextmanager
def killable(home: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    """A server that may be killed."""
    port = server._free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    environment = server._environment() | {"COWVISION_HOME": str(home)}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=server.ROOT, stdout=log, stderr=log, env=environment)
        try:
            assert server._is_up(f"http://127.0.0.1:{port}/_stcore/health", process)
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.kill()
            process.wait()


def test_a_server_killed_between_two_saves_loses_nothing_acknowledged(browser, tmp_path, monkeypatch) -> None:
    fill(tmp_path, monkeypatch)
    with killable(tmp_path) as (address, process):
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        labeller = Labeller(context.new_page(), tmp_path)
        labeller.open(f"{address}/label?herd=1")
        expect(labeller.canvas).to_have_count(1, timeout=SOON)
        labeller.settled()
        labeller.draw((100, 120), (300, 260))
        labeller.draw((350, 120), (450, 260))
        expect(labeller.page.locator("p", has_text="Saved at")).to_contain_text("2 boxes", timeout=SOON)
        told = labeller.labels.boxes.xyxy.tolist()
        labeller.drag((500, 120), (600, 260))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        context.close()
    with server.dashboard(tmp_path) as address, labelling(browser, address, tmp_path) as again:
        kept = again.labels.boxes.xyxy.tolist()
        assert kept[:2] == told
        expect(again.page.locator("p", has_text="Saved at")).to_be_visible(timeout=SOON)
        again.draw((100, 300), (200, 400))
        assert len(again.labels.boxes) == len(kept) + 1


def test_a_file_that_is_too_large_is_named_beside_a_good_one(labeller: Labeller, tmp_path) -> None:
    Image.new("RGB", (3000, 3000)).save(tmp_path / "large.bmp")
    Image.fromarray(noise(64, 48)).save(tmp_path / "good.png")
    labeller.page.get_by_text("Add pictures").first.click()
    uploader = labeller.page.locator(".st-key-picture_uploads input[type=file]")
    uploader.set_input_files([tmp_path / "large.bmp", tmp_path / "good.png"])
    expect(labeller.page.get_by_text("25.7 MB, 25 MB at most")).to_be_visible(timeout=SOON)
    expect(labeller.page.get_by_text("1 picture added")).to_be_visible(timeout=SOON)


@pytest.mark.parametrize("wide", [True, False], ids=["wide", "phone"])
def test_nothing_is_wider_than_the_screen(browser, address, home, monkeypatch, wide) -> None:
    fill(home, monkeypatch)
    size = {"width": 1440, "height": 900} if wide else {"width": 390, "height": 844}
    with labelling(browser, address, home, viewport=size, has_touch=not wide) as labeller:
        assert labeller.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert labeller.canvas.bounding_box()["width"] <= size["width"]
        keys = labeller.page.locator(".st-key-label_answers kbd").first
        if wide:
            expect(keys).to_be_visible()
        else:
            assert labeller.canvas.bounding_box()["width"] >= 350, "the picture gets the whole width"
            expect(keys).to_be_hidden()
            expect(labeller.page.get_by_title("Edit")).to_be_visible()


def test_the_first_example_and_the_way_from_detect(browser, tmp_path) -> None:
    with server.dashboard(tmp_path) as address:
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        labeller = Labeller(context.new_page(), tmp_path)
        labeller.open(f"{address}/label")
        labeller.press("Begin with the tutorial's two pictures")
        expect(labeller.canvas).to_have_count(1, timeout=SOON)
        labeller.open(f"{address}/detect?picture=winter_cows")
        labeller.page.get_by_role("link", name="Send to Label").click()
        expect(labeller.page.get_by_text("as a draft: look at each")).to_be_visible(timeout=SOON)
        labeller.settled()
        assert labeller.labels.state is LabelState.DRAFT
        boxes = len(labeller.labels.boxes)
        assert boxes > 0
        labeller.press("Remove all boxes")
        labeller.page.reload()
        labeller.settled()
        assert len(labeller.labels.boxes) == 0, "a reload makes no draft again"
        context.close()
        assert labeller.complaints == []
