"""Driving a page without a browser, and reading what it says."""

import re

from streamlit.testing.v1 import AppTest


def counts(page: AppTest) -> dict[str, int]:
    """The headline counts by model."""
    text = " ".join(element.proto.body for element in page.get("html"))
    found = re.findall(r'data-model="([\w-]+)" data-cows="(\d+)"', text)
    return {model: int(cows) for model, cows in found}


def words(page: AppTest) -> str:
    """What there is to read."""
    shown = [element.proto.body for element in page.get("html")]
    texts = (*page.error, *page.warning, *page.info, *page.success, *page.markdown, *page.caption)
    return " ".join([*shown, *(element.value for element in texts)])


def run(page: AppTest) -> AppTest:
    """The page once more; a traceback is a failure."""
    page.run()
    assert not page.exception
    return page


def counted(page: AppTest) -> AppTest:
    """The page after its count in the background has ended."""
    counting = page.session_state["_visit"].counting
    if counting is not None:
        counting.finish(20)
    return run(page)


def upload(page: AppTest, a_png: bytes, count: int) -> None:
    """Bring as many different pictures."""
    files = [(f"p{number}.png", a_png + b" " * number, "image/png") for number in range(count)]
    page.file_uploader(key="uploads_0").set_value(files)
    run(page)
