"""What the process of a job prints."""

from __future__ import annotations

import streamlit as st

from cowvision.workspace.job_log import last_lines

_LINES_SHOWN = 12


def printed(job_id: int) -> None:
    """Its last lines, or that there are none."""
    lines = last_lines(job_id, _LINES_SHOWN) or "No message so far, which is as it should be."
    st.code(lines, language=None, wrap_lines=True)
