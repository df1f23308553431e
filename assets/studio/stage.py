"""The empty stage: a reset scene, render settings, a camera, and reading what was rendered."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector


def reset_scene(
    resolution_wh: tuple[int, int], samples: int, *, transparent: bool = False, threads: int = 1, seed: int = 0
) -> bpy.types.Scene:
    """An empty Cycles scene on the CPU, denoised, with cheap bounces (first-order light plus fast global illumination).

    Everything of an earlier scene is dropped, so materials and meshes must be made again.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.seed = "CPU", samples, seed
    cycles.use_adaptive_sampling, cycles.adaptive_threshold = True, 0.02
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 1, 1
    cycles.transmission_bounces, cycles.transparent_max_bounces = 1, 4
    cycles.use_fast_gi, cycles.fast_gi_method, cycles.ao_bounces_render = True, "ADD", 1
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.denoising_input_passes, cycles.denoising_prefilter = "RGB_ALBEDO_NORMAL", "FAST"
    render = scene.render
    render.resolution_x, render.resolution_y = resolution_wh
    render.resolution_percentage = 100
    render.film_transparent = transparent
    render.threads_mode, render.threads = "FIXED", threads
    render.use_persistent_data = True
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.view_settings.exposure = -0.3
    return scene


def add_camera(
    location: tuple[float, float, float], target: tuple[float, float, float], lens_mm: float
) -> bpy.types.Object:
    """A camera on a 36 mm wide sensor looking from ``location`` to ``target`` (metres); becomes the scene's camera."""
    data = bpy.data.cameras.new("camera")
    data.lens, data.clip_end = lens_mm, 3000.0
    camera = bpy.data.objects.new("camera", data)
    camera.location = location
    camera.rotation_euler = (Vector(target) - Vector(location)).to_track_quat("-Z", "Y").to_euler()
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    return camera


def add_mesh(
    name: str,
    vertices: np.ndarray,
    faces: list | np.ndarray,
    material: bpy.types.Material | None = None,
    *,
    smooth: bool = False,
) -> bpy.types.Object:
    """Link a mesh object built from vertices (n, 3) in metres and faces (tuples of vertex indices)."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(np.asarray(vertices, float).tolist(), [], [tuple(int(i) for i in face) for face in faces])
    if smooth:
        mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
    if material is not None:
        mesh.materials.append(material)
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def set_float_attributes(mesh: bpy.types.Mesh, **values: np.ndarray) -> None:
    """Store one float per vertex under each name, for materials to read."""
    for name, value in values.items():
        attribute = mesh.attributes.new(name, "FLOAT", "POINT")
        attribute.data.foreach_set("value", np.asarray(value, np.float32))


def remove(thing: bpy.types.Object) -> None:
    """Delete an object together with its mesh or camera data."""
    data = thing.data
    bpy.data.objects.remove(thing)
    if isinstance(data, bpy.types.Mesh):
        bpy.data.meshes.remove(data)
    elif isinstance(data, bpy.types.Camera):
        bpy.data.cameras.remove(data)


def write_passes(folder: Path, *, depth: bool) -> None:
    """Let every later render also write its object-index pass (and depth in metres) as 32-bit EXR into ``folder``."""
    scene = bpy.context.scene
    layer = scene.view_layers[0]
    layer.use_pass_object_index, layer.use_pass_z = True, depth
    scene.use_nodes = True
    tree = scene.node_tree
    tree.nodes.clear()
    layers = tree.nodes.new("CompositorNodeRLayers")
    composite = tree.nodes.new("CompositorNodeComposite")
    tree.links.new(layers.outputs["Image"], composite.inputs[0])
    files = tree.nodes.new("CompositorNodeOutputFile")
    files.base_path = str(folder)
    files.format.file_format, files.format.color_depth, files.format.color_mode = "OPEN_EXR", "32", "RGB"
    files.file_slots.clear()
    files.file_slots.new("index_")
    tree.links.new(layers.outputs["IndexOB"], files.inputs[0])
    if depth:
        files.file_slots.new("depth_")
        tree.links.new(layers.outputs["Depth"], files.inputs[1])


def render_to(path: Path) -> None:
    """Render the scene into a PNG file (8-bit RGBA)."""
    render = bpy.context.scene.render
    render.image_settings.file_format, render.image_settings.color_mode = "PNG", "RGBA"
    render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


def read_image(path: Path) -> np.ndarray:
    """An image file as float32 (height, width, 4), top row first; EXR values are raw, PNG values are sRGB in 0..1."""
    image = bpy.data.images.load(str(path), check_existing=False)
    if path.suffix == ".exr":
        image.colorspace_settings.name = "Non-Color"
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(height, width, 4)[::-1].copy()


def read_passes(folder: Path, *, depth: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """The last render's object indices (h, w) int32 and, if asked, its depth (h, w) float32 in metres."""
    frame = f"{bpy.context.scene.frame_current:04d}"
    index = np.rint(read_image(folder / f"index_{frame}.exr")[:, :, 0]).astype(np.int32)
    return index, read_image(folder / f"depth_{frame}.exr")[:, :, 0] if depth else None
