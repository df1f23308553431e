"""Pictures for people: boxes and labels drawn onto a copy of the picture."""
