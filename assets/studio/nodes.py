"""A small vocabulary for Blender shader nodes, so that a material reads like the formula it is."""

from __future__ import annotations

import bpy

Socket = bpy.types.NodeSocket
Value = "Socket | bpy.types.Node | float | tuple[float, ...]"


def linear_rgba(hex_srgb: str) -> tuple[float, float, float, float]:
    """An sRGB colour such as ``'c2a468'`` as linear RGBA in 0..1 (IEC 61966-2-1)."""
    channels = (int(hex_srgb[i : i + 2], 16) / 255 for i in (0, 2, 4))
    red, green, blue = (c / 12.92 if c < 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return red, green, blue, 1.0


class NodeGraph:
    """Adds nodes to an emptied node tree; every method returns the socket that carries its result."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self.tree = tree
        tree.nodes.clear()

    def connect(self, socket: Socket, value: Value) -> None:
        """Link ``value`` into ``socket`` if it is a socket or node, else store it as the default."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        elif isinstance(value, bpy.types.Node):
            self.tree.links.new(value.outputs[0], socket)
        else:
            socket.default_value = value

    def node(self, kind: str, inputs: dict | None = None, **properties: object) -> bpy.types.Node:
        """Add a node of Blender type ``kind``, set its properties and connect its named inputs."""
        node = self.tree.nodes.new(kind)
        for name, value in properties.items():
            setattr(node, name, value)
        for name, value in (inputs or {}).items():
            self.connect(node.inputs[name], value)
        return node

    def attribute(self, name: str) -> Socket:
        """A float attribute of the mesh's vertices."""
        return self.node("ShaderNodeAttribute", attribute_name=name).outputs["Fac"]

    def attribute_vector(self, name: str) -> Socket:
        """A vector attribute of the mesh's vertices."""
        return self.node("ShaderNodeAttribute", attribute_name=name).outputs["Vector"]

    def object_property(self, name: str) -> Socket:
        """A custom float property of the object, so that many objects share one material."""
        return self.node("ShaderNodeAttribute", attribute_name=name, attribute_type="OBJECT").outputs["Fac"]

    def math(self, operation: str, a: Value, b: Value = 0.0, *, clamp: bool = False) -> Socket:
        """``operation`` of two scalars (Blender's names: ADD, MULTIPLY, MAXIMUM, ...)."""
        node = self.node("ShaderNodeMath", operation=operation, use_clamp=clamp)
        self.connect(node.inputs[0], a)
        self.connect(node.inputs[1], b)
        return node.outputs[0]

    def vector_math(self, operation: str, a: Value, b: Value) -> Socket:
        """``operation`` of two vectors."""
        node = self.node("ShaderNodeVectorMath", operation=operation)
        self.connect(node.inputs[0], a)
        self.connect(node.inputs[1], b)
        return node.outputs[0]

    def combine(self, x: Value, y: Value, z: Value) -> Socket:
        """A vector of three scalars."""
        node = self.node("ShaderNodeCombineXYZ")
        for socket, value in zip(node.inputs, (x, y, z), strict=True):
            self.connect(socket, value)
        return node.outputs[0]

    def separate(self, vector: Value) -> tuple[Socket, Socket, Socket]:
        """The three scalars of a vector."""
        node = self.node("ShaderNodeSeparateXYZ")
        self.connect(node.inputs[0], vector)
        return node.outputs[0], node.outputs[1], node.outputs[2]

    def mix(self, factor: Value, a: Value, b: Value, blend: str = "MIX") -> Socket:
        """Colour ``a`` towards ``b`` by ``factor`` (0..1, clamped)."""
        node = self.node("ShaderNodeMix", data_type="RGBA", blend_type=blend, clamp_factor=True)
        self.connect(node.inputs[0], factor)
        self.connect(node.inputs[6], a)
        self.connect(node.inputs[7], b)
        return node.outputs[2]

    def noise(
        self, vector: Value | None, scale: float, detail: float = 2.0, roughness: float = 0.5, distortion: float = 0.0
    ) -> Socket:
        """Perlin-like noise around 0.5."""
        settings = {"Scale": scale, "Detail": detail, "Roughness": roughness, "Distortion": distortion}
        node = self.node("ShaderNodeTexNoise", settings)
        if vector is not None:
            self.connect(node.inputs["Vector"], vector)
        return node.outputs["Fac"]

    def ramp(self, value: Value, stops: list[tuple[float, tuple[float, ...]]], interpolation: str = "LINEAR") -> Socket:
        """``value`` looked up in a colour ramp given as (position, linear RGB or RGBA)."""
        node = self.node("ShaderNodeValToRGB")
        self.connect(node.inputs[0], value)
        ramp = node.color_ramp
        ramp.interpolation = interpolation
        while len(ramp.elements) < len(stops):
            ramp.elements.new(0.5)
        for element, (position, colour) in zip(ramp.elements, stops, strict=True):
            element.position = position
            element.color = colour if len(colour) == 4 else (*colour, 1.0)
        return node.outputs[0]

    def smoothstep(self, value: Value, low: float, high: float) -> Socket:
        """0 below ``low``, 1 above ``high``, smooth between (``low`` > ``high`` gives the falling step)."""
        node = self.node("ShaderNodeMapRange", interpolation_type="SMOOTHSTEP", clamp=True)
        self.connect(node.inputs[0], value)
        node.inputs[1].default_value = low
        node.inputs[2].default_value = high
        return node.outputs[0]

    def bump(self, height: Value, strength: float, distance: float) -> Socket:
        """A shading normal displaced by ``height`` (``distance`` in metres)."""
        node = self.node("ShaderNodeBump", {"Strength": strength, "Distance": distance})
        self.connect(node.inputs["Height"], height)
        return node.outputs[0]

    def surface(self, shader: Value) -> None:
        """Make ``shader`` the material's (or world's) output."""
        world = any(n.bl_idname == "ShaderNodeBackground" for n in self.tree.nodes)
        output = self.node("ShaderNodeOutputWorld" if world else "ShaderNodeOutputMaterial")
        self.connect(output.inputs[0], shader)


def new_material(name: str) -> tuple[bpy.types.Material, NodeGraph]:
    """An empty node material and the graph to fill it."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    return material, NodeGraph(material.node_tree)


def plain_material(name: str, hex_srgb: str, roughness: float = 0.6, specular: float = 0.3) -> bpy.types.Material:
    """One colour, one roughness; made once per scene and name."""
    if name in bpy.data.materials:
        return bpy.data.materials[name]
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = linear_rgba(hex_srgb)
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Specular IOR Level"].default_value = specular
    return material
