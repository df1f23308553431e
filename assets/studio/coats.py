"""Coat materials: one per breed, varied per object through custom properties."""

from __future__ import annotations

import bpy
import numpy as np

from studio.breeds import Coat
from studio.nodes import Socket, linear_rgba, new_material, plain_material
from studio.quadruped import MASKS

FACE_PATCH = 0.22
"""How much likelier dark patches are on the head."""


def draw_looks(rng: np.random.Generator) -> dict[str, float]:
    """The custom properties that vary a coat: where in the pattern it lies, how much is dark, shade, tone and dirt."""
    return {
        "pattern": float(rng.uniform(0, 60)),
        "darkness": float(np.clip(rng.normal(0, 0.045), -0.1, 0.1)),
        "patch_scale": float(rng.uniform(0.75, 1.4)),
        "brightness": float(np.clip(rng.normal(1.0, 0.13), 0.7, 1.35)),
        "warmth": float(np.clip(rng.normal(0.0, 0.05), -0.1, 0.1)),
        "dirt": float(rng.uniform(0.0, 1.6) ** 1.3),
    }


def materials_for(breed: str, coat: Coat) -> list[bpy.types.Material]:
    """The materials of a quadruped's slots; made once per scene."""
    name = f"coat {breed}"
    made = bpy.data.materials.get(name) or _Painter(name, coat).material
    return [made, plain_material("horn", "b8a98c", 0.4), plain_material("eye", "120a06", 0.06, 0.6)]


class _Painter:
    """Builds a coat's node graph, from the ground colour to the details painted over it."""

    def __init__(self, name: str, coat: Coat) -> None:
        self.material, self.g = new_material(name)
        self.coat = coat
        self.mask = {mask: self.g.attribute(mask) for mask in MASKS}
        rest, pattern = self.g.attribute_vector("rest"), self.g.object_property("pattern")
        self.x, _, self.z = self.g.separate(rest)
        shift = self.g.combine(*(self.g.math("MULTIPLY", pattern, f) for f in (7.31, 3.17, 5.93)))
        self.position = self.g.vector_math("ADD", rest, shift)
        self.rough = self.noise(5, 2)
        colour = self._solid() if coat.solid else self._patched()
        colour = self._tinted(self._parts(self._white(colour)))
        self._shade(self._details(self._dirty(colour)))

    def noise(self, scale: float, detail: float = 2.0) -> Socket:
        return self.g.noise(self.position, scale, detail)

    def wobble(self, value: Socket, strength: float) -> Socket:
        """A value made uneven by middling noise."""
        return self.g.math("ADD", value, self.times(self.g.math("SUBTRACT", self.rough, 0.5), strength))

    def times(self, a: Socket, b: Socket | float) -> Socket:
        return self.g.math("MULTIPLY", a, b)

    def over(self, mask: Socket, colour: Socket, hex_srgb: str) -> Socket:
        """Paint a colour where the mask is; leave it out if the coat names none."""
        return self.g.mix(mask, colour, linear_rgba(hex_srgb)) if hex_srgb else colour

    def _solid(self) -> Socket:
        g, coat = self.g, self.coat
        height = g.math("ADD", self.times(self.rough, 0.35), self.times(self.z, -0.45))
        below = self.times(g.smoothstep(height, -0.55, -0.15), 0.9)
        colour = g.mix(below, linear_rgba(coat.dark), linear_rgba(coat.back or coat.dark))
        if coat.shade:
            parts = g.math("MAXIMUM", self.times(self.mask["low_leg"], 0.75), self.times(self.mask["head"], 0.55))
            colour = self.over(parts, colour, coat.shade)
        if coat.shade and coat.ring:
            belly = self.times(g.smoothstep(self.z, 0.75, 0.60), g.math("SUBTRACT", 0.5, self.mask["leg"], clamp=True))
            colour = self.over(belly, colour, coat.ring)
        return colour

    def _patched(self) -> Socket:
        g, coat, mask = self.g, self.coat, self.mask
        threshold, scale = coat.patch
        n = g.noise(self.position, self.times(g.object_property("patch_scale"), scale), 1.2, 0.45, 0.35)
        n = g.math("ADD", n, g.object_property("darkness"))
        n = g.math("ADD", n, self.times(g.math("SUBTRACT", self.noise(22), 0.5), 0.035))  # ragged hair edge
        face = -0.3 if coat.white_face else FACE_PATCH
        for part, weight in (("low_leg", -0.5), ("head", face), ("ear", 0.5), ("tuft", -0.5)):
            n = g.math("ADD", n, self.times(mask[part], weight))
        n = g.math("SUBTRACT", n, self.times(g.smoothstep(self.z, 0.80, 0.62), 0.12))
        if coat.blaze:
            n = g.math("SUBTRACT", n, self.times(self._blaze(), 0.6))
        edge = g.smoothstep(n, threshold - 0.012, threshold + 0.012)
        return g.mix(edge, linear_rgba(coat.light), linear_rgba(coat.dark))

    def _blaze(self) -> Socket:
        uneven = self.times(self.g.math("SUBTRACT", self.noise(9), 0.5), 1.1)
        return self.g.smoothstep(self.g.math("ADD", self.mask["blaze"], uneven), 0.55, 0.75)

    def _white(self, colour: Socket) -> Socket:
        """The white markings of solid coats."""
        g, coat, mask = self.g, self.coat, self.mask
        if not coat.solid:
            return colour
        if coat.white_face:
            face = g.math("SUBTRACT", mask["head"], self.times(mask["ear"], 0.8))
            colour = self.over(g.smoothstep(self.wobble(face, 0.3), 0.42, 0.55), colour, coat.light)
        if coat.white_belly:
            below = g.smoothstep(self.wobble(self.z, 0.15), 0.66, 0.62)
            colour = self.over(self.times(below, g.math("SUBTRACT", 1, mask["leg"], clamp=True)), colour, coat.light)
        if coat.white_feet:
            low = g.smoothstep(g.math("ADD", self.z, self.times(self.rough, 0.1)), 0.42, 0.36)
            colour = self.over(g.smoothstep(self.times(mask["leg"], low), 0.3, 0.6), colour, coat.light)
        if coat.white_tuft:
            colour = self.over(mask["tuft"], colour, coat.light)
        if coat.belt:
            x = self.wobble(g.math("ADD", self.x, g.object_property("darkness")), 0.12)
            colour = self.over(g.smoothstep(g.math("ABSOLUTE", g.math("ADD", x, 0.06)), 0.27, 0.25), colour, coat.light)
        return self.over(self._blaze(), colour, coat.light) if coat.blaze else colour

    def _parts(self, colour: Socket) -> Socket:
        """Tail, mane, fleece, muzzle ring, udder and the inside of the ears."""
        coat, mask = self.coat, self.mask
        for part, hex_srgb in (("tuft", coat.tuft), ("mane", coat.mane), ("wool", coat.wool), ("ring", coat.ring)):
            colour = self.over(mask[part], colour, hex_srgb)
        colour = self.over(self.times(mask["udder"], 0.9), colour, coat.udder)
        return self.over(self.times(mask["inner_ear"], 0.6), colour, "c58f7c")

    def _tinted(self, colour: Socket) -> Socket:
        """The object's own brightness and warmth, and fine hair-to-hair variation."""
        g = self.g
        light, warm = g.object_property("brightness"), g.object_property("warmth")
        tint = g.combine(g.math("ADD", light, warm), light, g.math("SUBTRACT", light, warm))
        colour = g.mix(1.0, colour, tint, "MULTIPLY")
        fine = g.ramp(self.noise(90, 3), [(0.25, (0.78, 0.78, 0.78)), (0.75, (1.08, 1.08, 1.08))])
        return g.mix(1.0, colour, fine, "MULTIPLY")

    def _dirty(self, colour: Socket) -> Socket:
        g = self.g
        low = g.smoothstep(g.math("ADD", self.z, self.times(self.noise(8, 3), 0.35)), 0.62, 0.12)
        amount = self.times(g.object_property("dirt"), self.coat.dirt)
        return self.over(g.math("MULTIPLY", low, amount, clamp=True), colour, "55462f")

    def _details(self, colour: Socket) -> Socket:
        mask = self.mask
        colour = self.over(mask["muzzle"], colour, self.coat.muzzle)
        colour = self.over(self.times(mask["eye_ring"], 0.75), colour, "1a1310")
        colour = self.over(mask["hoof"], colour, self.coat.hoof)
        colour = self.over(self.times(mask["nostril"], 0.92), colour, "0c0807")
        return self.over(self.times(mask["mouth"], 0.7), colour, "1a1210")

    def _shade(self, colour: Socket) -> None:
        g, mask = self.g, self.mask
        bare = g.math("MAXIMUM", mask["muzzle"], mask["hoof"])
        shader = g.node("ShaderNodeBsdfPrincipled", {"Base Color": colour})
        g.connect(shader.inputs["Roughness"], g.math("SUBTRACT", 0.62, self.times(bare, 0.27)))
        shader.inputs["Specular IOR Level"].default_value = 0.35
        shader.inputs["Sheen Weight"].default_value = self.coat.sheen
        shader.inputs["Sheen Roughness"].default_value = 0.4
        strands = g.vector_math("MULTIPLY", self.position, (70.0, 70.0, 22.0))
        hair = g.noise(strands, 4.0, 3, 0.6)
        g.connect(shader.inputs["Normal"], g.bump(hair, self.coat.hair, 0.006))
        g.surface(shader)
