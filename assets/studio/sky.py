"""Light and sky: clear, hazy, overcast and dusk."""

from __future__ import annotations

import math

import bpy
import numpy as np

from studio.nodes import NodeGraph, Socket
from studio.places import Place

SHADOW_STRENGTH = {"clear": 1.0, "haze": 0.6, "overcast": 0.0, "dusk": 0.75}
HAZE = {"clear": 0.4, "haze": 0.95, "overcast": 0.75, "dusk": 0.5}
"""How much of the farthest ground is veiled."""

HAZE_COLOUR = {"clear": "a9bccb", "haze": "c9d2d4", "overcast": "bcc3c6", "dusk": "b59a8c"}
EXPOSURE = {"clear": -0.3, "haze": -0.25, "overcast": -0.1, "dusk": 0.9}


def sun_direction(place: Place) -> np.ndarray | None:
    """Unit vector to the sun, or None under an overcast sky."""
    if place.weather == "overcast":
        return None
    elevation, azimuth = math.radians(place.sun_elevation_deg), math.radians(place.sun_azimuth_deg)
    return np.array(
        [math.sin(azimuth) * math.cos(elevation), math.cos(azimuth) * math.cos(elevation), math.sin(elevation)]
    )


def add_sky(place: Place, *, clouds: bool = True) -> None:
    """Make the world's light, and the exposure that suits it."""
    world = bpy.data.worlds.new("sky")
    bpy.context.scene.world = world
    world.use_nodes = True
    graph = NodeGraph(world.node_tree)
    if place.weather == "overcast":
        colour, strength = _grey_sky(graph, place.seed), 1.0
    elif place.weather == "haze":
        sun = graph.vector_math("MULTIPLY", _sunny_sky(graph, place), (0.06, 0.06, 0.06))
        veil = graph.vector_math("MULTIPLY", _grey_sky(graph, place.seed), (0.62, 0.62, 0.62))
        colour, strength = graph.vector_math("ADD", sun, veil), 1.0
    else:
        colour, strength = _sunny_sky(graph, place), 0.10
        if clouds:
            colour = _with_clouds(graph, colour, place)
    background = graph.node("ShaderNodeBackground")
    graph.connect(background.inputs[0], colour)
    background.inputs[1].default_value = strength
    graph.surface(background)
    bpy.context.scene.view_settings.exposure = EXPOSURE[place.weather] + place.exposure


def _sunny_sky(graph: NodeGraph, place: Place) -> Socket:
    """Nishita's physical sky; haze makes the sun's disc wide, so that shadows are soft."""
    hazy = place.weather == "haze"
    sky = graph.node(
        "ShaderNodeTexSky", sky_type="NISHITA", sun_elevation=math.radians(place.sun_elevation_deg),
        sun_rotation=math.radians(place.sun_azimuth_deg), sun_size=math.radians(6.0 if hazy else 1.2),
        sun_intensity=0.9, dust_density=1.5 if hazy else 0.6, air_density=1.0, ozone_density=3.0,
    )  # fmt: skip
    return sky.outputs[0]


def _grey_sky(graph: NodeGraph, seed: int) -> Socket:
    """Soft light from everywhere, a little brighter above, with faint structure."""
    direction = graph.node("ShaderNodeTexCoord").outputs["Generated"]
    _, _, up = graph.separate(direction)
    shade = graph.noise(graph.vector_math("ADD", direction, (seed % 97, 0.0, 0.0)), 2.2, 4, 0.6)
    level = graph.math("ADD", graph.math("MULTIPLY", up, 0.35), graph.math("MULTIPLY", shade, 0.5))
    return graph.ramp(level, [(0.1, (0.62, 0.66, 0.70)), (0.45, (0.82, 0.85, 0.88)), (0.75, (0.98, 0.99, 1.0))])


def _with_clouds(graph: NodeGraph, colour: Socket, place: Place) -> Socket:
    """White clouds for the camera only, so that they do not change the light."""
    x, y, z = graph.separate(graph.node("ShaderNodeTexCoord").outputs["Generated"])
    height = graph.math("ADD", graph.math("MAXIMUM", z, 0.0), 0.12)
    plane = graph.combine(graph.math("DIVIDE", x, height), graph.math("DIVIDE", y, height), place.seed % 61 * 0.37)
    cover = graph.smoothstep(graph.noise(plane, 0.75, 5, 0.55, 0.1), 0.44 + place.seed % 7 * 0.02, 0.70)
    cover = graph.math("MULTIPLY", graph.math("MULTIPLY", cover, graph.smoothstep(z, 0.015, 0.12)), 0.85)
    camera = graph.node("ShaderNodeLightPath").outputs["Is Camera Ray"]
    bright = (4.0, 3.2, 2.8, 1.0) if place.weather == "dusk" else (9.0, 9.0, 9.3, 1.0)
    return graph.mix(graph.math("MULTIPLY", cover, camera), colour, bright)
