"""What Detect must do: find cows, take pictures, follow the slider, give results away - and ask nobody else."""

import json
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from pycocotools.coco import COCO

from cowvision.viz.drawing import CLASS_COLOURS
from tests.browser.watched import READY, Watched

ROOT = Path(__file__).resolve().parents[2]
STILLS = ROOT / "assets" / "pictures"

pytestmark = pytest.mark.browser


@pytest.fixture
def watched(browser: Browser, address: str):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    watched = Watched(context.new_page())
    watched.open(f"{address}/detect")
    expect(watched.page.locator("[data-network-runs]")).to_be_visible(timeout=READY)
    yield watched
    context.close()
    assert watched.complaints == []


def still_as_png(number: int = 0) -> dict:
    """A shipped still in another encoding: a picture the page has not seen."""
    stream = BytesIO()
    Image.open(sorted(STILLS.glob("*.jpg"))[number]).resize((640, 427)).save(stream, format="PNG")
    return {"name": f"mine {number}.png", "mimeType": "image/png", "buffer": stream.getvalue()}


def upload(watched: Watched, *files: dict) -> None:
    watched.page.locator("input[type=file]").first.set_input_files(list(files))
    expect(watched.page.get_by_role("heading", name="mine")).to_be_visible(timeout=READY)
    watched.settled()


def photographed(page: Page, selector: str) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(page.locator(selector).first.screenshot())).convert("RGB"), dtype=int)


def test_the_page_finds_cows_takes_an_upload_and_follows_the_slider(watched: Watched) -> None:
    page = watched.page
    assert watched.cows("herd-finetuned") > 0
    shown = photographed(page, ".st-key-result_herd-finetuned [data-testid='stImage'] img")
    amber = np.array([int(CLASS_COLOURS["cow"][place : place + 2], 16) for place in (1, 3, 5)])
    assert (np.abs(shown - amber).max(axis=2) < 40).sum() > 50, "no boxes in the cows' colour on the still"

    runs = watched.network_runs()
    upload(watched, still_as_png())
    assert watched.network_runs() == runs + 2

    counts = []
    for key in ("Home", "End"):
        page.get_by_role("slider").focus()
        page.keyboard.press(key)
        page.wait_for_timeout(900)
        watched.settled()
        counts.append(watched.cows("herd-finetuned"))
    assert counts[0] > counts[1]
    assert watched.network_runs() == runs + 2, "the slider must not run the network"


def test_the_downloaded_coco_file_holds_what_the_page_shows(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    opener = page.get_by_test_id("stPopover").get_by_role("button")
    opener.evaluate("element => element.scrollIntoView({block: 'center'})")  # what opens needs room above or below
    page.wait_for_timeout(500)
    opener.click()
    with page.expect_download(timeout=READY) as download:
        page.get_by_role("button", name="COCO", exact=True).click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    coco = COCO(str(path))
    assert len(coco.getAnnIds()) == watched.cows("herd-finetuned")
    [image] = coco.loadImgs(coco.getImgIds())
    with Image.open(STILLS / image["file_name"]) as still:
        assert still.size == (image["width"], image["height"])
    with page.expect_download(timeout=READY) as download:
        page.get_by_role("button", name="JPEG", exact=True).click()
    download.value.save_as(tmp_path / "boxes.jpg")
    with Image.open(tmp_path / "boxes.jpg") as drawn:
        assert drawn.size == (image["width"], image["height"])
        assert not drawn.getexif()


def test_several_pictures_survive_a_reload_and_a_bad_one_is_named(watched: Watched, browser: Browser, address) -> None:
    page = watched.page
    bad = {"name": "<b>bad</b>.jpg", "mimeType": "image/jpeg", "buffer": b"not a picture"}
    upload(watched, still_as_png(1), bad, still_as_png(2))
    expect(page.get_by_text("2 pictures of yours")).to_be_visible(timeout=READY)
    expect(page.get_by_text("not a picture in a known format")).to_be_visible()
    page.reload()
    watched.settled()
    expect(page.get_by_text("2 pictures of yours")).to_be_visible(timeout=READY)

    context = browser.new_context()
    other = Watched(context.new_page())
    other.open(f"{address}/detect")
    assert other.page.get_by_text("pictures of yours").count() == 0, "another visitor sees them"
    context.close()


def test_a_shared_address_shows_the_same_view(watched: Watched, address: str) -> None:
    page = watched.page
    watched.open(f"{address}/detect?picture=winter_cows&threshold=0.9&zoom=true")
    expect(page.get_by_role("slider")).to_have_value("0.9")
    expect(page.get_by_role("heading", name="Winter day")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(2, timeout=READY)
    assert "picture=winter_cows" in page.url
    chosen = page.locator(".st-key-card_winter_cows")
    expect(chosen).to_be_in_viewport(ratio=0.9, timeout=READY)


def test_zoomed_boxes_tell_their_class_and_score(watched: Watched, address: str) -> None:
    watched.open(f"{address}/detect?picture=farmer_and_cows&zoom=true")
    figure = watched.page.locator(".st-key-result_herd-finetuned .js-plotly-plot")
    expect(figure).to_be_visible(timeout=READY)
    names = json.loads(figure.evaluate("figure => JSON.stringify(figure.data.map(trace => trace.text))"))
    assert len(names) == watched.cows("herd-finetuned")
    assert all(re.match(r"cow (0\.\d\d|1\.00)", name) for name in names)


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    watched = Watched(context.new_page())
    watched.open(f"{address}/detect")
    expect(watched.page.locator(".cv-count").first).to_be_visible(timeout=READY)
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert watched.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0
    watched.page.get_by_role("button", name="Dusk").tap()
    watched.settled()
    expect(watched.page.locator(".cv-title h2").first).to_have_text("Dusk")
    expect(watched.page.locator(".cv-title h2").first).to_be_in_viewport()  # the answer came into view by itself
    assert watched.page.locator(".cv-title h2").first.bounding_box()["y"] < 200
    context.close()
    assert watched.complaints == []
