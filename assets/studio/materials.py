"""What grounds and leaves look like, by season and terrain, veiled by haze in the distance."""

from __future__ import annotations

import bpy

from studio.nodes import NodeGraph, Socket, linear_rgba, new_material
from studio.places import Place
from studio.sky import HAZE, HAZE_COLOUR

GRASS = {
    "spring": ("41612a", "5a7a38", "738f48", "8fa35e"),
    "summer": ("4b602c", "637738", "7e8a4a", "98965e"),
    "dry": ("7d7038", "9a8748", "b39d5c", "c4b076"),
    "autumn": ("5a6428", "787836", "948849", "a8965a"),
    "winter": ("5c6340", "74764f", "8a8862", "a09a78"),
}
"""Four blade or lawn colours from dark to light (sRGB)."""

LEAVES = {
    "spring": ("35601f", "4d7a2a", "6a9438", "8aa84a"),
    "summer": ("2c4a1c", "3f6226", "557530", "6d8438"),
    "dry": ("4a5226", "60662e", "787a3a", "8c8648"),
    "autumn": ("6b4a1c", "94621f", "b07d2c", "8a7f36"),
    "winter": ("4c4334", "5c5140", "6a5f4c", "57584a"),
}
BARE = {
    "mud": ("2f251b", "46382a", "5d4b38", "6f6046"),
    "barnyard": ("6f675c", "857c6f", "9a9183", "aaa294"),
    "snow": ("cfd6dc", "dde2e6", "e9ecef", "f2f4f5"),
    "stubble": ("8a7640", "a68f52", "bda468", "cdb67c"),
}


def ground_material(place: Place) -> bpy.types.Material:
    """Lawn, earth, gravel or snow in patches of several sizes."""
    material, graph = new_material("ground")
    where = graph.vector_math(
        "ADD", graph.node("ShaderNodeTexCoord").outputs["Object"], (place.seed % 101 * 13.0, place.seed % 89 * 7.0, 0.0)
    )
    large, middle, fine = (
        graph.noise(where, 0.05, 4, 0.55),
        graph.noise(where, 0.6, 4, 0.6),
        graph.noise(where, 9, 4, 0.7),
    )
    mixed = graph.math("ADD", graph.math("MULTIPLY", large, 0.55), graph.math("MULTIPLY", middle, 0.45))
    lawn = _shades(graph, mixed, GRASS[place.season])
    bare = _shades(graph, mixed, BARE.get(place.terrain, ("5d4a33", "6d5a40", "82704f", "93825f")))
    low, high = {"lush": (0.66, 0.72), "meadow": (0.57, 0.66), "hills": (0.6, 0.7)}.get(place.terrain, (0.20, 0.34))
    patches = graph.noise(where, 0.22, 5, 0.65, 0.4)
    colour = graph.mix(graph.smoothstep(patches, low, high), lawn, bare)
    speckle = [(0.3, (0.62, 0.64, 0.6)), (0.7, (1.1, 1.1, 1.05))]
    colour = graph.mix(1.0, colour, graph.ramp(fine, speckle), "MULTIPLY")
    shader = graph.node("ShaderNodeBsdfPrincipled")
    graph.connect(shader.inputs["Base Color"], colour)
    graph.connect(shader.inputs["Normal"], graph.bump(fine, 0.7, 0.06))
    wet = graph.math("MULTIPLY", graph.smoothstep(patches, 0.52, 0.62), 0.6 if place.terrain == "mud" else 0.0)
    graph.connect(shader.inputs["Roughness"], graph.math("SUBTRACT", 0.95, wet))
    shader.inputs["Specular IOR Level"].default_value = 0.3 if place.terrain == "mud" else 0.1
    graph.surface(veiled(graph, shader.outputs[0], place, 60, 900))
    return material


def leaf_material(
    name: str, place: Place, shades: tuple[str, ...], root: str, *, translucency: float = 0.35, spread: float = 0.0
) -> bpy.types.Material:
    """Thin translucent leaves or blades: dark at the root, each instance of another shade.

    Reads the vertex attributes ``tip`` (0 root .. 1 tip) and ``shade`` (0..1); ``spread`` adds patches.
    """
    material, graph = new_material(name)
    info = graph.node("ShaderNodeObjectInfo")
    choice = info.outputs["Random"]
    if spread:
        patch = graph.math("MULTIPLY", graph.noise(info.outputs["Location"], spread, 2), 0.75)
        choice = graph.math("ADD", graph.math("MULTIPLY", choice, 0.45), patch)
    stops = [(position, linear_rgba(shade)) for position, shade in zip((0.15, 0.45, 0.65, 0.85), shades, strict=True)]
    colour = graph.mix(graph.attribute("tip"), linear_rgba(root), graph.ramp(choice, stops))
    variation = graph.ramp(graph.attribute("shade"), [(0, (0.7, 0.7, 0.7)), (1, (1.2, 1.2, 1.1))])
    colour = graph.mix(1.0, colour, variation, "MULTIPLY")
    diffuse, through = graph.node("ShaderNodeBsdfDiffuse"), graph.node("ShaderNodeBsdfTranslucent")
    graph.connect(diffuse.inputs[0], colour)
    graph.connect(through.inputs[0], colour)
    graph.surface(veiled(graph, _mix_shaders(graph, translucency, diffuse, through), place, 40, 700))
    return material


def bark_material(place: Place) -> bpy.types.Material:
    """Brown and rough, and as far away as its leaves: a trunk in clear air under a veiled crown would seem to float."""
    material, graph = new_material("bark")
    shader = graph.node("ShaderNodeBsdfDiffuse")
    shader.inputs[0].default_value = linear_rgba("4b3b2d")
    graph.surface(veiled(graph, shader.outputs[0], place, 40, 700))
    return material


def veiled(graph: NodeGraph, shader: Socket, place: Place, near_m: float, far_m: float) -> Socket:
    """``shader`` fading into the haze of the place's weather with distance (aerial perspective)."""
    distance = graph.node("ShaderNodeCameraData").outputs["View Distance"]
    reach = 0.35 if place.weather == "haze" else 1.0
    veil = graph.math("MULTIPLY", graph.smoothstep(distance, near_m * reach, far_m * reach), HAZE[place.weather])
    air = graph.node("ShaderNodeEmission")
    air.inputs[0].default_value = linear_rgba(HAZE_COLOUR[place.weather])
    air.inputs[1].default_value = 0.45 if place.weather == "dusk" else 0.9
    return _mix_shaders(graph, veil, shader, air)


def wood_material() -> bpy.types.Material:
    """Weathered grey-brown wood with grain along the object's x axis."""
    if "wood" in bpy.data.materials:
        return bpy.data.materials["wood"]
    material, graph = new_material("wood")
    stretched = graph.vector_math("MULTIPLY", graph.node("ShaderNodeTexCoord").outputs["Object"], (1.2, 14.0, 14.0))
    grain = graph.noise(stretched, 2.2, 5, 0.65, 0.4)
    each = graph.math("SUBTRACT", graph.node("ShaderNodeObjectInfo").outputs["Random"], 0.5)
    grain = graph.math("ADD", grain, graph.math("MULTIPLY", each, 0.2))
    shader = graph.node("ShaderNodeBsdfPrincipled", {"Roughness": 0.85})
    stops = [(0.3, linear_rgba("4a3a2c")), (0.5, linear_rgba("806a52")), (0.72, linear_rgba("a8967c"))]
    graph.connect(shader.inputs["Base Color"], graph.ramp(grain, stops))
    graph.connect(shader.inputs["Normal"], graph.bump(grain, 0.5, 0.01))
    graph.surface(shader)
    return material


def stone_material(name: str, dark: str, light: str, scale: float) -> bpy.types.Material:
    """Stones, bricks or plaster: cells of different brightness between dark joints."""
    if name in bpy.data.materials:
        return bpy.data.materials[name]
    material, graph = new_material(name)
    where = graph.node("ShaderNodeTexCoord").outputs["Object"]
    cells = graph.node("ShaderNodeTexVoronoi", {"Scale": scale})
    graph.connect(cells.inputs["Vector"], graph.vector_math("MULTIPLY", where, (1.0, 1.0, 1.7)))
    tone, _, _ = graph.separate(cells.outputs["Color"])
    tone = graph.math("ADD", graph.math("MULTIPLY", tone, 0.7), graph.math("MULTIPLY", graph.noise(where, 9, 4), 0.3))
    shader = graph.node("ShaderNodeBsdfPrincipled", {"Roughness": 0.9})
    graph.connect(shader.inputs["Base Color"], graph.ramp(tone, [(0.2, linear_rgba(dark)), (0.8, linear_rgba(light))]))
    graph.connect(shader.inputs["Normal"], graph.bump(cells.outputs["Distance"], 0.4, 0.03))
    graph.surface(shader)
    return material


def _shades(graph: NodeGraph, value: Socket, shades: tuple[str, ...]) -> Socket:
    stops = [(position, linear_rgba(shade)) for position, shade in zip((0.34, 0.47, 0.58, 0.70), shades, strict=True)]
    return graph.ramp(value, stops)


def _mix_shaders(graph: NodeGraph, factor: Socket | float, first: object, second: object) -> Socket:
    node = graph.node("ShaderNodeMixShader")
    graph.connect(node.inputs[0], factor)
    graph.connect(node.inputs[1], first)
    graph.connect(node.inputs[2], second)
    return node.outputs[0]
