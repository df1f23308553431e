"""What the pages share on the screen; beside the pages and app.py the only code that knows Streamlit."""
