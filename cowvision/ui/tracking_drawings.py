"""A small drawing of what each of the tracker's settings does, in colours for light and dark pages."""

from __future__ import annotations

import base64

_GOLD, _BLUE, _RED, _INK = "#f5b81f", "#43b0e8", "#e0355f", "#878f89"


def _box(x: float, y: float, width: float, height: float, colour: str = _INK, *, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="2" fill="none" stroke="{colour}" '
        f'stroke-width="2.4"{dashes}/>'
    )


def _cow(x: float, y: float, scale: float = 1.0, opacity: float = 0.55) -> str:
    """A cow of about 24 x 15 from its upper left corner."""
    path = "M2 4h14l3-3 2 2 2 1-1 3-4 1v3l-1 4h-2v-4H8l-1 4H5l-1-5-2-1z"
    return f'<path transform="translate({x} {y}) scale({scale})" d="{path}" fill="#878f89" opacity="{opacity}"/>'


def _text(x: float, y: float, text: str, colour: str = _INK, size: int = 10) -> str:
    font = f'font-family="sans-serif" font-size="{size}" font-weight="600"'
    return f'<text x="{x}" y="{y}" {font} fill="{colour}">{text}</text>'


def _drawn(words: str, *parts: str) -> tuple[str, str]:
    """What a screen reader says, and the drawing as an address: pages show no SVG that stands in their HTML."""
    drawn = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 62">{"".join(parts)}</svg>'
    return words, f"data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()}"


def _frames(looked: set[int]) -> str:
    """Six frames of a film; those that are looked at hold a whole box, the others a dotted one."""
    return "".join(
        f'<rect x="{4 + 26 * n}" y="12" width="22" height="36" rx="2" fill="#878f89" opacity="0.09"/>'
        + _box(7 + 26 * n, 22, 16, 14, _GOLD if n in looked else _INK, dash="" if n in looked else "1.5 3")
        for n in range(6)
    )


def _line(seen: str, colour: str = _GOLD) -> str:
    """A track over time: # is seen, - unseen."""
    looks = {"#": f'fill="{colour}"', "-": 'fill="none" stroke-dasharray="2 2"'}
    return "".join(
        f'<rect x="{6 + 12.5 * n}" y="26" width="10" height="10" rx="2" stroke="{colour}" stroke-width="1.6" '
        f"{looks[sign]}/>"
        for n, sign in enumerate(seen)
    )


DRAWINGS = {
    "every": _drawn("Every second frame is looked at", _frames({0, 2, 4})),
    "least_score": _drawn(
        "A sure box is kept, an unsure one is not",
        _cow(22, 22, 1.5), _box(18, 18, 44, 30, _GOLD), _text(18, 13, "0.9"),
        '<ellipse cx="114" cy="36" rx="15" ry="9" fill="#878f89" opacity="0.3"/>',
        _box(94, 22, 40, 26, _INK, dash="3 3"), _text(94, 17, "0.4"),
        f'<path d="M92 52 136 18" stroke="{_RED}" stroke-width="2.4"/>',
    ),
    "most_inside": _drawn(
        "A box inside another is left out",
        _cow(56, 16, 2), _box(50, 10, 58, 42, _GOLD), _box(78, 14, 28, 34, _RED, dash="3 3"),
    ),
    "least_iou": _drawn(
        "A new box overlaps the place where the track is expected",
        _box(34, 12, 54, 36, _BLUE, dash="3 3"), _box(62, 18, 54, 36, _GOLD),
        f'<rect x="62" y="18" width="26" height="30" fill="{_GOLD}" opacity="0.35"/>',
        _text(4, 20, "due", _BLUE), _text(122, 50, "new", _GOLD),
    ),
    "patience": _drawn("A track unseen for long ends", _line("####------"), _text(132, 35, "ends", _INK, 11)),
    "coast": _drawn(
        "An unseen cow's box is shown a little longer",
        '<rect x="84" y="8" width="20" height="48" fill="#878f89" opacity="0.35"/>',
        _box(14, 18, 44, 28, _GOLD), _cow(18, 22, 1.5), _box(70, 18, 44, 28, _GOLD, dash="8 28"),
        '<path d="M118 32h26m-7-6 7 6-7 6" fill="none" stroke="#878f89" stroke-width="2"/>',
    ),
    "confirm": _drawn(
        "A box counts after it was there for some frames",
        _line("---"), '<g transform="translate(37.5 0)">' + _line("########") + "</g>", _text(42, 20, "id 1", _GOLD),
    ),
}  # fmt: skip
"""Words and drawing by the fields of the tracker's settings."""
