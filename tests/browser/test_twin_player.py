"""The twin player in a real browser: two clips whose frames carry their own number, read back from what is shown."""

import urllib.request
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from cowvision.tracking.writer import ClipWriter
from tests.browser.server import dashboard
from tests.browser.watched import Watched

pytestmark = pytest.mark.browser

SOON = 20_000  # milliseconds
FPS = Fraction(30000, 1001)
FRAMES, SHORTER = 240, 150
WIDTH, HEIGHT, BITS, BLOCK = 320, 176, 10, 32
EVENTS = {"birth": 17, "gap": 61, "switch": 101, "loss": 200}
CROWD = [
    ("birth", 3),
    ("switch", 5),
    ("loss", 5),
    ("gap", 6),
    ("birth", 6),
    ("switch", 100),
    ("switch", 103),
    ("loss", 239),
]

SCRIPT = """
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
import streamlit as st
from cowvision.ui.twin_player import GoTo, Kind, Mark, TwinSide, twin_player

st.set_page_config(layout="wide")
folder = Path({folder!r})
KINDS = [Kind(kind, f"all of {{kind}}", "what it is") for kind in ("birth", "loss", "gap", "switch")]
MARKS = tuple(Mark(kind, frame, f"{{kind}} of 7.") for kind, frame in {events!r}.items())
runs = st.session_state["runs"] = st.session_state.get("runs", 0) + 1
second, frames = ("short", {shorter}) if "short" in st.query_params else ("second", {frames})
go = GoTo(int(st.query_params["frame"]), "address") if "frame" in st.query_params else None
if st.button("Go to 77"):
    go = GoTo(77, f"press {{runs}}")
st.title("Twins")
st.text_input("Words")
crowd = tuple(Mark(kind, frame, f"{{kind}}!") for kind, frame in {crowd!r})
first = TwinSide("First <b>", "#d17f1b", folder / "first.mp4", {frames}, MARKS, ((0, 2), (100, 3)))
if "crowd" in st.query_params:
    first = TwinSide("First <b>", "#d17f1b", folder / "first.mp4", {frames}, crowd, ((0, 0), (9, 1)), unsure=9)
at = twin_player(
    [first,
     TwinSide("Second", "#2f86d6", folder / f"{{second}}.mp4", frames, () if "crowd" in st.query_params else MARKS[:1],
              ((0, 1),))],
    fps=Fraction({fps!r}), kinds=KINDS, key="twins", go=go)
st.html(f'<p data-rest="{{at}}" data-runs="{{runs}}">.</p>')
"""

READ = """videos => videos.map(video => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(video, 0, 0);
  let number = 0;
  for (let bit = 0; bit < BITS; bit++)
    number |= (pen.getImageData(bit * BLOCK + BLOCK / 2, BLOCK / 2, 1, 1).data[1] > 128) << bit;
  return { number, time: video.currentTime, paused: video.paused, wide: video.videoWidth };
})""".replace("BITS", str(BITS)).replace("BLOCK", str(BLOCK))


def write_numbered(path: Path, frames: int, shade: int) -> None:
    """A clip whose frame n shows n as white and black blocks, the lowest bit first."""
    with ClipWriter(path, fps=FPS, resolution_wh=(WIDTH, HEIGHT)) as writer:
        for number in range(frames):
            rgb = np.full((HEIGHT, WIDTH, 3), shade, np.uint8)
            rgb[BLOCK:, number : number + 40] = 255 - shade
            for bit in range(BITS):
                rgb[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 255 * (number >> bit & 1)
            writer.write(rgb)


@pytest.fixture(scope="module")
def address(browser: Browser, tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("twins")
    write_numbered(folder / "first.mp4", FRAMES, 60)
    write_numbered(folder / "second.mp4", FRAMES, 120)
    write_numbered(folder / "short.mp4", SHORTER, 90)
    script = folder / "twins.py"
    facts = {
        "folder": str(folder),
        "events": EVENTS,
        "crowd": CROWD,
        "fps": str(FPS),
        "frames": FRAMES,
        "shorter": SHORTER,
    }
    script.write_text(SCRIPT.format(**facts), encoding="utf-8")
    with dashboard(script=script) as url:
        yield url


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    opened = Watched(context.new_page())
    opened.open(address)
    rests_at(opened.page, 0)
    yield opened
    context.close()
    assert opened.complaints == []


def twin(page: Page) -> Locator:
    return page.locator(".twin")


def shown(page: Page) -> list[dict]:
    return page.locator(".twin video").evaluate_all(READ)


def rests_at(page: Page, frame: int) -> None:
    """Both clips show exactly that frame, or come to in a moment."""
    expect(twin(page)).to_have_attribute("data-frame", str(frame), timeout=SOON)
    for _ in range(100):
        videos = page.locator(".twin video").evaluate_all("all => all.every(v => !v.seeking && v.readyState >= 2)")
        if videos and {video["number"] for video in shown(page)} == {frame}:
            return
        page.wait_for_timeout(100)
    assert [video["number"] for video in shown(page)] == [frame, frame]


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def python_knows(page: Page, frame: int) -> None:
    expect(page.locator("[data-rest]")).to_have_attribute("data-rest", str(frame), timeout=SOON)


def runs(page: Page) -> int:
    return int(page.locator("[data-runs]").get_attribute("data-runs"))


def test_both_play_in_step(watched: Watched) -> None:
    page = watched.page
    before = runs(page)
    press(page, "Play")
    page.wait_for_timeout(700)
    samples = []
    for _ in range(30):
        samples.append(shown(page))
        page.wait_for_timeout(90)
    first = [one[0] for one in samples]
    assert all(not video["paused"] for pair in samples for video in pair)
    assert all(later["time"] > earlier["time"] for earlier, later in pairwise(first))
    assert max(abs(one["time"] - other["time"]) for one, other in samples) <= 0.02
    apart = [abs(one["number"] - other["number"]) for one, other in samples]
    assert max(apart) <= 1  # a picture is read while the next one comes
    assert sum(gap == 0 for gap in apart) >= 0.8 * len(apart)
    assert runs(page) == before  # nothing is asked of Python while they play
    press(page, "Pause")
    frame = int(twin(page).get_attribute("data-frame"))
    rests_at(page, frame)
    python_knows(page, frame)


@pytest.mark.parametrize("by", [0.1, -0.1])
def test_a_follower_that_gets_out_of_step_is_back_in_it_while_they_play(watched: Watched, by: float) -> None:
    page = watched.page
    follower = page.locator(".twin video").last
    press(page, "Play")
    page.wait_for_timeout(700)
    push = "(video, by) => { video.currentTime += by; return new Promise((done) => (video.onseeked = done)); }"
    follower.evaluate(push, by)
    apart = [abs(one["time"] - other["time"]) for one, other in [shown(page)]]
    assert max(apart) > 0.03, "it was not pushed out of step"
    page.wait_for_timeout(2000)
    apart = []
    for _ in range(10):
        first, second = shown(page)
        assert not first["paused"]
        assert not second["paused"]
        apart.append(abs(first["time"] - second["time"]))
        page.wait_for_timeout(90)
    assert max(apart) <= 0.02


def test_at_the_end_they_rest_on_the_last_frame_and_loop_if_asked(watched: Watched) -> None:
    page = watched.page
    page.get_by_role("slider").press("End")
    rests_at(page, FRAMES - 1)
    page.keyboard.press("Shift+ArrowLeft")
    rests_at(page, FRAMES - 1 - 30)
    press(page, "2×")
    press(page, "Play")
    expect(twin(page)).not_to_have_attribute("data-plays", "", timeout=SOON)
    rests_at(page, FRAMES - 1)
    press(page, "Loop")
    page.get_by_role("slider").press("ArrowLeft")
    press(page, "Play")
    expect(twin(page)).to_have_attribute("data-plays", "", timeout=SOON)
    page.wait_for_timeout(1500)
    assert all(1 < video["number"] < FRAMES - 10 and not video["paused"] for video in shown(page))


def test_single_frames_and_keys(watched: Watched) -> None:
    page = watched.page
    for frame in (1, 2, 3):
        press(page, "Next frame")
        rests_at(page, frame)
    press(page, "Previous frame")
    rests_at(page, 2)
    python_knows(page, 2)
    slider = page.get_by_role("slider", name="Place in the clip")
    slider.focus()
    for key, frame in (
        ("ArrowRight", 3), ("Shift+ArrowRight", 33), ("End", FRAMES - 1), ("ArrowRight", FRAMES - 1), ("Home", 0),
        ("ArrowLeft", 0), ("n", 17), ("n", 61), ("n", 101), ("p", 61),
    ):  # fmt: skip
        page.keyboard.press(key)
        rests_at(page, frame)
    expect(slider).to_have_attribute("aria-valuenow", "62")
    expect(slider).to_have_attribute("aria-valuetext", "frame 62, 2.04 seconds; First <b>: 2 cows; Second: 1 cow")
    page.keyboard.press("Space")
    expect(twin(page)).to_have_attribute("data-plays", "")
    page.keyboard.press("Space")
    expect(twin(page)).not_to_have_attribute("data-plays", "")


def test_a_press_on_an_event_shows_its_very_frame(watched: Watched) -> None:
    page = watched.page
    for kind in ("switch", "birth", "loss", "gap"):
        page.locator(f".lane:first-child .tick.{kind}").click()
        rests_at(page, EVENTS[kind])
        expect(page.get_by_role("status")).to_contain_text(f"{kind} of 7.")
    python_knows(page, EVENTS["gap"])
    press(page, "Play")
    page.wait_for_timeout(400)
    page.locator(".lane:first-child .tick.switch").click()  # also while they play
    rests_at(page, EVENTS["switch"])
    expect(twin(page)).not_to_have_attribute("data-plays", "")


def test_keys_work_while_nothing_of_the_page_has_the_focus(watched: Watched) -> None:
    page = watched.page
    page.get_by_role("heading", name="Twins").click()
    for key, frame in ((".", 1), ("ArrowRight", 2), (",", 1), ("Shift+ArrowRight", 31), ("p", 17), ("ArrowLeft", 16)):
        page.keyboard.press(key)
        rests_at(page, frame)
    page.keyboard.press("Space")
    expect(twin(page)).to_have_attribute("data-plays", "")
    page.keyboard.press("Space")
    expect(twin(page)).not_to_have_attribute("data-plays", "")


def test_keys_are_left_to_whatever_has_the_focus(watched: Watched) -> None:
    page = watched.page
    page.get_by_label("Words").fill("no")
    page.get_by_label("Words").press("n")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    expect(page.get_by_label("Words")).to_have_value("no n")
    page.get_by_role("button", name="Go to 77").focus()
    page.keyboard.press("ArrowRight")
    rests_at(page, 0)
    press(page, "Next frame")
    page.keyboard.press("ArrowRight")  # within the player keys are told once
    rests_at(page, 2)


def test_keys_are_left_to_the_page_while_the_players_are_out_of_sight(watched: Watched) -> None:
    page = watched.page
    page.set_viewport_size({"width": 1440, "height": 200})
    page.get_by_role("heading", name="Twins").click()
    page.locator("[data-rest]").evaluate("end => end.style.cssText = 'display:block; height:2000px'")
    page.locator('[data-testid="stMain"]').evaluate("main => main.scrollTo(0, main.scrollHeight)")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    expect(twin(page)).to_have_attribute("data-frame", "0")


def test_speed_loop_and_size_stay_over_a_reload(watched: Watched) -> None:
    page = watched.page
    for name in ("½×", "Loop", "Large"):
        press(page, name)
    page.reload()
    rests_at(page, 0)
    for name in ("½×", "Loop", "Large"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="1×", exact=True)).to_have_attribute("aria-pressed", "false")
    press(page, "Play")
    page.wait_for_timeout(600)
    rates = page.locator(".twin video").evaluate_all("all => all.map(video => video.playbackRate)")
    assert all(0.3 < rate < 0.7 for rate in rates)
    wide = [page.locator(".side").nth(place).bounding_box()["width"] for place in (0, 1)]
    assert min(wide) > 1000
    press(page, "Large")
    page.keyboard.press("Space")  # plays or pauses, and does not press the button again
    expect(page.get_by_role("button", name="Large", exact=True)).to_have_attribute("aria-pressed", "false")
    expect(twin(page)).not_to_have_attribute("data-plays", "")


@pytest.mark.parametrize(("width", "least"), [(1440, 24), (390, 32)])
def test_events_close_together_become_one_mark_that_goes_through_them(
    browser: Browser, address: str, width: int, least: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 1000})
    page.goto(f"{address}/?crowd=1")
    rests_at(page, 0)
    ticks = page.locator(".lane:first-child .tick")
    boxes = ticks.evaluate_all("all => all.map(one => { const { x, y, width, height } = one.getBoundingClientRect();"
                               " return [x, y, width, height]; })")  # fmt: skip
    assert min(min(box[2], box[3]) for box in boxes) >= least
    for place, (x, y, wide, high) in enumerate(boxes):
        for left, top, other_wide, other_high in boxes[:place]:
            apart = x >= left + other_wide - 0.1 or left >= x + wide - 0.1
            assert apart or y >= top + other_high - 0.1 or top >= y + high - 0.1
    numbers = ticks.evaluate_all("all => all.map(one => +one.dataset.number)")
    assert sum(numbers) == len(CROWD)
    several = ticks.nth(numbers.index(max(numbers)))
    frames = [int(frame) for frame in several.get_attribute("data-frames").split()]
    for frame in (*frames, frames[0]):
        several.evaluate("tick => tick.click()")
        expect(twin(page)).to_have_attribute("data-frame", str(frame))
    for kind, count in Counter(kind for kind, _ in CROWD).items():  # the other has none
        expect(page.get_by_role("button", name=f"all of {kind} ({count} + 0)")).to_be_visible()
    page.close()


def test_too_early_for_an_id_is_not_called_no_cows(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(f"{address}/?crowd=1")
    rests_at(page, 0)
    number = page.locator(".side:first-child figcaption span")
    expect(number).to_have_text("no ids yet")
    page.get_by_role("slider").press("End")
    expect(number).to_have_text("1 cow")
    page.close()


def test_next_and_previous_event_skip_what_is_hidden(watched: Watched) -> None:
    page = watched.page
    press(page, "Next event")
    rests_at(page, EVENTS["birth"])
    press(page, "all of gap (1 + 0)")
    expect(page.locator(".tick.gap")).to_be_hidden()
    press(page, "Next event")
    rests_at(page, EVENTS["switch"])
    press(page, "Previous event")
    rests_at(page, EVENTS["birth"])
    press(page, "Previous event")
    expect(page.get_by_role("status")).to_have_text("No earlier event.")


def test_dragging_along_the_timeline_lands_where_it_is_let_go(watched: Watched) -> None:
    page = watched.page
    box = page.locator(".scrub").bounding_box()
    before = runs(page)
    page.mouse.move(box["x"] + 5, box["y"] + 30)
    page.mouse.down()
    for share in (0.2, 0.45, 0.3, 0.61):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + 30, steps=4)
        page.wait_for_timeout(60)
    page.mouse.up()
    rests_at(page, int(0.61 * FRAMES))
    python_knows(page, int(0.61 * FRAMES))
    assert runs(page) == before + 1


def test_python_sends_them_to_a_frame_once(watched: Watched) -> None:
    page = watched.page
    press(page, "Go to 77")
    rests_at(page, 77)
    press(page, "Next frame")
    rests_at(page, 78)
    python_knows(page, 78)
    rests_at(page, 78)  # that Python ran again sends them nowhere
    press(page, "Go to 77")
    rests_at(page, 77)


def test_an_address_with_a_frame_opens_on_it(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/?frame=123")
    rests_at(page, 123)
    page.close()


def test_a_shorter_clip_says_where_it_ends(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(f"{address}/?short=1&frame={SHORTER - 20}")
    rests_at(page, SHORTER - 20)
    page.get_by_role("slider").press("Space")
    expect(page.locator(".side:last-child .over")).to_be_visible(timeout=SOON)
    page.get_by_role("slider").press("End")
    expect(twin(page)).to_have_attribute("data-frame", str(FRAMES - 1))
    page.wait_for_timeout(600)
    assert [video["number"] for video in shown(page)] == [FRAMES - 1, SHORTER - 1]
    page.close()


def test_on_a_phone_they_are_stacked_and_nothing_is_wider_than_the_screen(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(address)
    rests_at(page, 0)
    first, second = (page.locator(".side").nth(place).bounding_box() for place in (0, 1))
    assert second["y"] >= first["y"] + first["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


def test_a_part_of_a_video_can_be_asked_for(watched: Watched, address: str) -> None:
    source = watched.page.locator(".twin video").first.get_attribute("src")
    request = urllib.request.Request(address + source, headers={"Range": "bytes=4-7"})  # noqa: S310 - ours
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the address is ours
        assert (answer.status, answer.read(), answer.headers["Content-Type"]) == (206, b"ftyp", "video/mp4")
    with urllib.request.urlopen(address + source, timeout=10) as answer:  # noqa: S310 - the address is ours
        assert (answer.status, answer.headers["Accept-Ranges"], answer.read()[4:8]) == (200, "bytes", b"ftyp")
