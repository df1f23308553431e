"""What can be done with a training: see its model at work, go on, rename, delete, read its card, take it away."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import streamlit as st

from cowvision.errors import ModelFileError
from cowvision.training.checkpoints import Run, RunState
from cowvision.training.run_names import LONGEST_NAME, delete_run, rename_run
from cowvision.ui import evaluation_sets, finetuning_again, finetuning_jobs, finetuning_news, frame, widgets


def actions(run: Run, titles: Mapping[str, str], herds: Mapping[int, str], *, is_busy: bool) -> None:
    """A row of everything that makes sense now; titles of models by their names, names of herds by their numbers."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"actions_{run.name}"):
        if run.has_model:
            models = [titles[name] for name in (run.plan.start, run.name) if name in titles]
            frame.page_link("detect.py", "Use it on Detect", ":material/search:", models=models)
            frame.page_link("compare.py", "Compare", ":material/balance:", **_comparison(run, herds))
        if is_busy:
            return
        finetuning_again.offer(run)
        if run.state is not RunState.DONE and (run.state_file.is_file() or not finetuning_again.is_exploded(run)):
            _go_on(run)
        if run.has_model:
            _card(run)
            _download(run)
        with st.popover("Rename or delete", icon=":material/edit:", key=f"change_{run.name}"):
            _change(run)


def _comparison(run: Run, herds: Mapping[int, str]) -> dict[str, str]:
    """With what the comparison opens: the herd it learnt from, whose pictures are flagged there, else the test herd."""
    herd = run.plan.herd_id
    pictures = evaluation_sets.TEST_HERD if herd is None or herd not in herds else evaluation_sets.herd_key(herd)
    return {"set": pictures, "baseline": run.plan.start, "candidate": run.name}


def _go_on(run: Run) -> None:
    has_state = run.state_file.is_file()
    st.button(
        "Go on" if has_state else "Begin again", key=f"go_on_{run.name}", icon=":material/play_arrow:",
        on_click=_ask_to_go_on, args=(run,),
        help="Continues at the last checkpoint, exactly as if it had never ended." if has_state
        else "Nothing was kept before it ended; it begins at the first step with the same pictures and settings.",
    )  # fmt: skip


def _ask_to_go_on(run: Run) -> None:
    with finetuning_news.told():
        if run.name not in finetuning_jobs.busy_runs(finetuning_jobs.trainings(), []):  # a second press, another tab
            finetuning_jobs.go_on(run)


def _card(run: Run) -> None:
    path = run.model_file.with_suffix(".md")
    if path.is_file() and st.button("Card", key=f"show_card_{run.name}", icon=":material/description:"):
        _show_card(path)


@st.dialog("Model card", width="large")
def _show_card(path: Path) -> None:
    with widgets.errors_shown():
        st.markdown(_harmless(_text(path)))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelFileError(str(path), f"the card cannot be read ({error})", "Train the model again") from None


def _harmless(card: str) -> str:
    """The card with its tables and smaller headings, but with nothing that would ask for something or lead away."""
    card = re.sub(r"^(#+) ", r"###\1 ", card, flags=re.MULTILINE)
    return card.replace("<", "&lt;").replace("[", r"\[").replace("://", ":&#8203;//").replace("$", r"\$")


def _download(run: Run) -> None:
    st.download_button(
        "Download", lambda: _zip(run), f"{run.name}.zip", "application/zip", key=f"download_{run.name}",
        icon=":material/download:", on_click="ignore", help="Weights (safetensors), settings and card.",
    )  # fmt: skip


def _zip(run: Run) -> bytes:
    """Weights, settings and card under the run's name, as `read_model` takes them; what is gone is left out."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for suffix in (".safetensors", ".json", ".md"):
            path = run.model_file.with_suffix(suffix)
            if path.is_file():
                archive.write(path, f"{run.name}/{run.name}{suffix}")
    return stream.getvalue()


def _change(run: Run) -> None:
    title = st.text_input("Name", run.title, max_chars=LONGEST_NAME, key=f"rename_{run.name}_{run.title}")
    same = " ".join(title.split()) in {"", run.title}
    st.button("Rename", key=f"do_rename_{run.name}", disabled=same, on_click=_rename, args=(run, title))
    widgets.note(f"On the command line it is {run.name}, also after it was renamed.")
    st.divider()
    what = "this model, its curves and its checkpoint" if run.has_model else "this training and what it has kept"
    sure = st.checkbox(f"Yes, delete {what}", key=f"sure_{run.name}")
    st.button("Delete", key=f"do_delete_{run.name}", disabled=not sure, on_click=_delete, args=(run,))


def _rename(run: Run, title: str) -> None:
    with finetuning_news.told():
        renamed = rename_run(run.name, title)
        words = f"{widgets.plain(run.title)} is called {widgets.plain(renamed.title)} now"
        finetuning_news.say(f"{words}; on the command line it stays `{run.name}`.")


def _delete(run: Run) -> None:
    with finetuning_news.told():
        delete_run(run.name)
        st.toast(f"{widgets.plain(run.title)} is deleted.", icon=":material/check:")
