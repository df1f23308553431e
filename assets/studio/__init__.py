"""The studio: a procedural herd and its pastures, rendered with Blender (`bpy`), never needed at run time."""
