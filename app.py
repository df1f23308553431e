"""CowVision's router: the frame around whichever page the address asks for."""

import streamlit as st

from cowvision.ui import frame, session

st.set_page_config(page_title="CowVision", page_icon="🐄", layout="wide", initial_sidebar_state="collapsed")
session.ensure()
frame.navigation().run()
