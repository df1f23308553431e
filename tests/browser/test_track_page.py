"""What Track must do in a real browser: play what ships, follow a clip that is brought, lose nothing meanwhile."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from cowvision.tracking.writer import ClipWriter
from cowvision.workspace.clips import CLIPS_FOLDER
from cowvision.workspace.files import store_path
from cowvision.workspace.jobs import JobState, all_jobs
from cowvision.workspace.store import Store
from cowvision.workspace.tracked_clips import SHIPPED_FOLDER, read_tracked
from tests.browser.server import dashboard
from tests.browser.watched import READY, Watched

pytestmark = pytest.mark.browser

STATE = (
    "videos => videos.map(v => ({ time: v.currentTime, paused: v.paused, seeking: v.seeking, ready: v.readyState }))"
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch) -> Iterator[Path]:
    """A workspace of its own; what still works in it ends with the test."""
    folder = tmp_path / "home"
    yield folder
    monkeypatch.setenv("COWVISION_HOME", str(folder))
    for job in all_jobs(Store(store_path())):
        if job.state is JobState.RUNNING and job.process is not None:
            job.process.end(by_force=True)


@contextmanager
def visit(browser: Browser, address: str, width: int = 1440, height: int = 1400) -> Iterator[Watched]:
    """A visitor at an address, who hears every complaint."""
    context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
    watched = Watched(context.new_page())
    watched.open(address)
    yield watched
    context.close()
    assert watched.complaints == []


def rests_at(page: Page, frame: int) -> None:
    """Both players show exactly that frame, counted from 0."""
    expect(page.locator(".twin")).to_have_attribute("data-frame", str(frame), timeout=READY)
    script = "videos => videos.every(v => !v.seeking && v.readyState >= 2)"
    for _ in range(200):
        if page.locator(".twin video").evaluate_all(script):
            break
        page.wait_for_timeout(50)
    fps = float(Fraction(read_tracked(SHIPPED_FOLDER / "crossing.herd-base").fps))
    shown = [int(video["time"] * fps) for video in page.locator(".twin video").evaluate_all(STATE)]
    assert shown == [frame, frame]


def go_by_mark(page: Page, frame: int) -> None:
    """Press the mark of an event, again and again where several are one."""
    mark = page.locator(f'.lane:last-child .tick[data-frames~="{frame}"]').first
    for _ in (mark.get_attribute("data-frames") or "").split():
        mark.evaluate("tick => tick.click()")
        if page.locator(".twin").get_attribute("data-frame") == str(frame):
            break
    rests_at(page, frame)


def press_row(page: Page, table: int, row: int, x: int = 200) -> None:
    """Press a cell of a table's row, counted from 0."""
    shown = page.locator('[data-testid="stDataFrame"]:visible').nth(table)
    shown.scroll_into_view_if_needed(timeout=READY)
    page.wait_for_timeout(500)
    box = shown.bounding_box()
    page.mouse.click(box["x"] + x, box["y"] + 38 + 35 * (row + 0.5))


def done(page: Page) -> int:
    """Frames that the tracking at work has done."""
    return int(page.locator("[data-done]").get_attribute("data-done", timeout=READY) or 0)


def wait_for_frame(page: Page, number: int) -> int:
    """Wait until more than that many are done."""
    script = "number => [...document.querySelectorAll('[data-done]')].some(one => +one.dataset.done > number)"
    page.wait_for_function(script, arg=number, timeout=READY)
    return done(page)


@pytest.mark.skipif(not (SHIPPED_FOLDER / "crossing.herd-base").is_dir(), reason="nothing tracked ships")
def test_what_ships_plays_in_step_and_every_event_can_be_gone_to(browser: Browser, address: str) -> None:
    with visit(browser, f"{address}/track?clip=crossing") as watched:
        page = watched.page
        expect(page.locator(".twin video")).to_have_count(2, timeout=READY)
        expect(page.get_by_role("button", name=re.compile("^Track with"))).to_have_count(0)
        page.get_by_role("button", name="Play", exact=True).click()
        page.wait_for_timeout(800)
        samples = []
        for _ in range(20):
            samples.append(page.locator(".twin video").evaluate_all(STATE))
            page.wait_for_timeout(80)
        assert all(not video["paused"] for pair in samples for video in pair)
        assert all(later[1]["time"] > earlier[1]["time"] for earlier, later in pairwise(samples))
        assert max(abs(one["time"] - other["time"]) for one, other in samples) <= 0.02
        tracked = read_tracked(SHIPPED_FOLDER / "crossing.herd-finetuned")
        events = tracked.events(is_true=True)
        ticks = page.locator(".lane:last-child .tick")
        numbers = ticks.evaluate_all("all => all.map(tick => +tick.dataset.number)")
        assert sum(numbers) == len(events)  # the events on the timeline are those in the numbers
        for place in (0, len(events) // 2, len(events) - 1):
            go_by_mark(page, events[place].frame)
        frame = events[-1].frame
        expect(page).to_have_url(re.compile(rf"clip=crossing.*frame={frame + 1}\b|frame={frame + 1}\b.*clip=crossing"))
        page.reload()
        rests_at(page, frame)
        watched.settled()


@pytest.mark.skipif(not (SHIPPED_FOLDER / "crossing.herd-base").is_dir(), reason="nothing tracked ships")
def test_a_chosen_id_moves_the_players_and_files_can_be_taken_away(browser: Browser, address: str) -> None:
    with visit(browser, f"{address}/track?clip=crossing", height=2600) as watched:
        page = watched.page
        rests_at(page, 24)
        press_row(page, 1, 2, x=15)  # the third row's own box
        tracked = read_tracked(SHIPPED_FOLDER / "crossing.herd-finetuned")
        first = int(tracked.table().frame[tracked.table().track_id == 3][0])
        rests_at(page, first)
        for label, start in (("MP4", b"ftyp"), ("MOT text", b",-1,-1,-1"), ("JSON", b"{"), ("CSV", b"frame")):
            with page.expect_download(timeout=READY) as download:
                page.locator(".st-key-take_1").get_by_role("button", name=label).click()
            data = Path(download.value.path()).read_bytes()
            assert start in data[:60]
        watched.settled()


@pytest.mark.skipif(not (SHIPPED_FOLDER / "crossing.herd-base").is_dir(), reason="nothing tracked ships")
def test_a_press_anywhere_on_a_row_shows_the_players_where_it_begins(browser: Browser, address: str) -> None:
    tracked = read_tracked(SHIPPED_FOLDER / "crossing.herd-finetuned")
    ids = sorted(set(tracked.table().track_id.tolist()))
    last_born = int(tracked.table().frame[tracked.table().track_id == ids[-1]][0])
    with visit(browser, f"{address}/track?clip=crossing", height=900) as watched:
        page = watched.page
        rests_at(page, 24)
        for _ in range(2):  # the same cell once more, after a step
            press_row(page, 1, len(ids) - 1)
            rests_at(page, last_born)
            expect(page.locator(".sides")).to_be_in_viewport(ratio=0.99)
            page.keyboard.press("ArrowRight")  # the keys are with the players now
            rests_at(page, last_born + 1)
            watched.settled()
        page.get_by_role("tab", name="Every event").click()
        press_row(page, 1, 4)
        rests_at(page, tracked.events(is_true=True)[4].frame)
        expect(page.locator(".sides")).to_be_in_viewport(ratio=0.99)
        watched.settled()


@pytest.mark.skipif(not (SHIPPED_FOLDER / "crossing.herd-base").is_dir(), reason="nothing tracked ships")
def test_back_leaves_a_clip_in_one_step_however_much_its_address_says(browser: Browser, address: str) -> None:
    with visit(browser, address) as watched:
        page = watched.page

        def at(words: str) -> None:
            page.wait_for_function("words => RegExp(words).test(location.href)", arg=words, timeout=READY)
            watched.settled()

        for name in ("Detect", "Track"):
            page.get_by_role("link", name=name, exact=True).first.click()
            at(f"/{name.lower()}")
        at("clip=crossing.*model=.*other=")
        press_row(page, 0, 0)
        at("frame=4$")
        press_row(page, 0, 5)
        at("frame=([^4]|4.)")
        page.get_by_role("button", name="Grazing herd", exact=True).click()
        at("clip=grazing")
        page.go_back()
        at("/track.*clip=crossing")
        expect(page.locator(".st-key-clip_about")).to_contain_text("Crossing cows")
        page.go_back()
        at("/detect$")
        page.go_back()
        at(f"^{address}/?$")


def test_back_finds_the_pictures_that_were_looked_at(browser: Browser, address: str) -> None:
    with visit(browser, f"{address}/detect") as watched:
        page = watched.page

        def at(words: str) -> None:
            page.wait_for_function("words => RegExp(words).test(location.href)", arg=words, timeout=READY)
            watched.settled()

        for title in ("Dusk", "Barnyard"):
            page.locator(".st-key-gallery").get_by_role("button", name=title, exact=True).click()
            at(f"picture={title.lower()}")
        page.get_by_role("link", name="Track", exact=True).first.click()
        at("/track.*clip=crossing.*model=.*other=")
        page.go_back()
        at("/detect[?]picture=barnyard$")
        page.go_back()
        at("/detect[?]picture=dusk$")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_chosen_clips_title_can_be_read(browser: Browser, address: str, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme)
    watched = Watched(context.new_page())
    watched.open(f"{address}/track")
    script = "element => getComputedStyle(element).color"
    chosen, other = (
        watched.page.locator(f".st-key-choose_{key} p").first.evaluate(script) for key in ("crossing", "grazing_herd")
    )
    heading = watched.page.locator("h1").evaluate(script)
    context.close()
    assert chosen == other
    assert sum(np.abs(np.subtract(*(list(map(int, re.findall(r"\d+", one)[:3])) for one in (chosen, heading))))) < 60


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, address: str) -> None:
    with visit(browser, f"{address}/track?clip=crossing", 390, 844) as watched:
        page = watched.page
        expect(page.locator(".twin video")).to_have_count(2, timeout=READY)
        page.get_by_text("How it follows a cow").click()
        page.wait_for_timeout(600)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def write_clip(path: Path, frames: int) -> Path:
    """Brown boxes that wander over green."""
    with ClipWriter(path, fps=Fraction(10), resolution_wh=(160, 120)) as writer:
        for number in range(frames):
            rgb = np.full((120, 160, 3), (90, 140, 70), np.uint8)
            rgb[50:80, (number * 2) % 120 : (number * 2) % 120 + 40] = (120, 80, 50)
            writer.write(rgb)
    return path


def test_a_clip_is_brought_followed_left_found_again_and_stopped(browser: Browser, home: Path, tmp_path: Path) -> None:
    mine = write_clip(tmp_path / "my cows.mp4", 900)
    with dashboard(home) as address, visit(browser, f"{address}/track") as watched:
        page = watched.page
        page.locator('input[type="file"]').set_input_files(mine)
        expect(page.get_by_role("heading", name="my cows.mp4")).to_be_visible(timeout=READY)
        watched.settled()
        page.get_by_role("button", name="Track with Herd base and Herd fine-tuned").click()
        expect(page.get_by_role("heading", name="Tracking my cows.mp4 with Herd base")).to_be_visible(timeout=READY)
        reached = wait_for_frame(page, 2)
        page.get_by_role("link", name="Compare", exact=True).first.click()
        expect(page.get_by_role("heading", name="Which model is better?")).to_be_visible(timeout=READY)
        page.get_by_role("link", name="Track", exact=True).click()
        reached = wait_for_frame(page, reached)
        page.reload()
        reached = wait_for_frame(page, reached)
        drawn_last = page.locator(".st-key-at_work img")
        expect(drawn_last).to_be_visible(timeout=READY)
        expect(drawn_last).to_have_attribute(
            "src", re.compile("^data:image/jpeg;base64,")
        )  # nothing to ask for in vain
        page.get_by_role("button", name="Do not begin").click()
        expect(page.get_by_role("button", name="Do not begin")).to_have_count(0, timeout=READY)
        page.locator(".st-key-at_work").get_by_role("button", name="Stop").click()
        expect(page.locator(".st-key-at_work")).to_have_count(0, timeout=READY)
        expect(page.get_by_text("a part of the clip only")).to_be_visible(timeout=READY)
        expect(page.locator(".twin video")).to_have_count(1)
        page.get_by_role("button", name="Next frame", exact=True).click()
        watched.settled()
        page.get_by_role("button", name="Remove this clip").click()
        page.get_by_role("button", name="Remove it").click()
        expect(page.get_by_role("heading", name="Crossing cows")).to_be_visible(timeout=READY)
        watched.settled()


def test_what_is_no_clip_is_told_in_words(browser: Browser, address: str) -> None:
    with visit(browser, f"{address}/track") as watched:
        page = watched.page
        still = {"name": "still.mp4", "mimeType": "video/mp4", "buffer": (CLIPS_FOLDER / "crossing.json").read_bytes()}
        page.locator('input[type="file"]').set_input_files([still])
        expect(page.get_by_role("alert").filter(has_text="still.mp4")).to_be_visible(timeout=READY)
        watched.settled()
