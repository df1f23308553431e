"""CowVision's router: the list of pages and the frame around them."""

import streamlit as st

from cowvision.ui import session

st.set_page_config(page_title="CowVision", page_icon="🐄", layout="wide", initial_sidebar_state="collapsed")
session.ensure()
st.navigation([st.Page("pages/detect.py", title="Detect", default=True)], position="hidden").run()
