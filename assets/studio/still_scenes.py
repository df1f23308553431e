"""The showcase stills as data: for each a title, a caption, what its place must be, and who stands where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Placement:
    """One animal: ground point (x right, y ahead of the camera, metres), heading (0 = right, 90 = away) and looks.

    An empty breed or pose is drawn from the seed; ``scale`` multiplies the drawn size (a calf is about 0.55).
    """

    kind: str
    xy: tuple[float, float]
    heading_deg: float
    breed: str
    pose: str
    seed: int
    scale: float = 1.0


@dataclass(frozen=True)
class Still:
    """One showcase picture."""

    name: str
    title: str
    caption: str
    place: dict
    placements: tuple[Placement, ...]


def _cow(x: float, y: float, heading: float, breed: str, pose: str, seed: int, scale: float = 1.0) -> Placement:
    return Placement("cow", (x, y), heading, breed, pose, seed, scale)


def _other(kind: str, x: float, y: float, heading: float, pose: str, seed: int, scale: float = 1.0) -> Placement:
    return Placement(kind, (x, y), heading, "", pose, seed, scale)


def _place(
    season: str, weather: str, terrain: str, sun: tuple[float, float], lens: float, height: float,
    look: tuple[float, float, float], **more: object,
) -> dict:  # fmt: skip
    """Fields of a Place; ``sun`` is (elevation, azimuth) in degrees, azimuth 180 being behind the camera."""
    return dict(
        season=season, weather=weather, terrain=terrain, sun_elevation_deg=sun[0], sun_azimuth_deg=sun[1],
        lens_mm=lens, camera_height_m=height, look_at=look, **({"clutter": 0} | more),
    )  # fmt: skip


STILLS = (
    Still(
        "farmer_and_cows", "Farmer and cows", "A farmer stands in front of a cow while others graze around them.",
        _place("summer", "clear", "lush", (38.0, 212.0), 45.0, 1.65, (0.0, 10.0, 0.95), fence=True, grass_m=0.1),
        (
            _other("person", -0.35, 6.5, -75, "stand", 3),
            _cow(0.25, 8.7, 188, "holstein", "stand", 31),
            _cow(-3.3, 10.6, -25, "fleckvieh", "graze", 12),
            _cow(4.1, 12.2, 200, "jersey", "walk", 13),
            _cow(-5.2, 16.0, 20, "brown_swiss", "graze", 14),
            _cow(1.8, 17.5, 165, "holstein", "graze", 15),
            _cow(6.8, 20.0, 215, "hereford", "lie", 16),
        ),
    ),
    Still(
        "many_cows", "Many cows", "A crowded herd hides parts of itself, with a little calf at the back.",
        _place("spring", "haze", "meadow", (42.0, 160.0), 42.0, 3.3, (0.0, 14.0, 0.3), fence=False, barn=False),
        (
            _cow(-2.6, 8.6, -35, "holstein", "stand", 21),
            _cow(1.4, 9.2, 195, "jersey", "graze", 22),
            _cow(4.2, 10.6, 230, "fleckvieh", "stand", 23),
            _cow(-4.9, 11.6, 10, "angus", "graze", 24),
            _cow(-0.9, 11.8, 170, "holstein", "walk", 25),
            _cow(3.1, 13.2, -15, "brown_swiss", "graze", 26),
            _cow(5.9, 14.2, 180, "hereford", "stand", 27),
            _cow(-3.4, 14.6, 200, "charolais", "stand", 28),
            _cow(-6.6, 16.4, -10, "holstein", "graze", 29),
            _cow(-0.2, 15.4, 25, "fleckvieh", "look_back", 30),
            _cow(4.0, 17.2, 160, "jersey", "walk", 31),
            _cow(-1.6, 18.2, 185, "brown_swiss", "graze", 32),
            _cow(7.6, 18.8, 20, "holstein", "stand", 33),
            _cow(-4.8, 20.6, -30, "hereford", "graze", 34),
            _cow(2.1, 20.0, 190, "jersey", "stand", 35, 0.55),
            _cow(5.4, 22.6, 175, "angus", "stand", 36),
        ),
    ),
    Still(
        "overcast_holsteins", "Holsteins under clouds", "Black-and-white cows in the flat light of a cloudy day.",
        _place("summer", "overcast", "meadow", (35.0, 200.0), 50.0, 1.6, (0.0, 12.0, 0.85), fence=True),
        (
            _cow(-1.6, 8.4, -30, "holstein", "stand", 41),
            _cow(1.9, 10.0, 185, "holstein", "graze", 42),
            _cow(-3.9, 13.4, 15, "holstein", "lie", 43),
            _cow(0.6, 14.6, 205, "holstein", "walk", 44),
            _cow(4.6, 16.2, 120, "holstein", "look_back", 45),
        ),
    ),
    Still(
        "barnyard", "Barnyard", "Cows and their keeper in a yard between walls and fences.",
        _place("autumn", "clear", "barnyard", (34.0, 225.0), 35.0, 2.1, (0.0, 11.0, 0.8), barn=True, fence=True),
        (
            _cow(-2.4, 8.2, -20, "brown_swiss", "stand", 51),
            _cow(2.3, 9.4, 200, "fleckvieh", "low", 52),
            _cow(-0.2, 12.4, 175, "jersey", "stand", 53),
            _cow(4.6, 13.6, -40, "holstein", "lie", 54),
            _cow(-4.8, 12.8, 35, "holstein", "walk", 55),
            _other("person", 0.9, 7.2, 120, "walk", 56),
            _other("dog", -0.4, 7.4, 40, "stand", 57),
        ),
    ),
    Still(
        "mixed_species", "Mixed company", "Cows, horses, sheep, a dog and a farmer: only the cows count.",
        _place("summer", "clear", "lush", (30.0, 220.0), 42.0, 1.75, (0.0, 12.0, 0.75), fence=False),
        (
            _other("person", -2.5, 7.8, -60, "stand", 61),
            _other("dog", -1.2, 7.4, -35, "stand", 62),
            _cow(1.5, 9.2, 188, "holstein", "walk", 63),
            _cow(-4.0, 12.5, 20, "fleckvieh", "graze", 64),
            _other("horse", 4.4, 12.5, -150, "stand", 65),
            _other("sheep", 0.3, 12.6, 10, "graze", 66),
            _other("sheep", -1.0, 14.8, 200, "stand", 67),
            _other("sheep", 1.6, 15.2, 170, "walk", 68),
            _cow(3.0, 17.5, 195, "angus", "lie", 69),
            _cow(-6.2, 17.5, -50, "brown_swiss", "stand", 70),
        ),
    ),
    Still(
        "close_up", "Close-up", "A curious cow fills the picture, two more stand behind it.",
        _place("summer", "clear", "lush", (32.0, 205.0), 62.0, 1.6, (0.0, 7.0, 1.08), fence=False),
        (
            _cow(-0.35, 6.1, -58, "fleckvieh", "stand", 71),
            _cow(1.9, 10.5, 172, "holstein", "graze", 72),
            _cow(-2.9, 13.0, 8, "brown_swiss", "walk", 73),
        ),
    ),
    Still(
        "from_above", "From above", "The herd as a drone sees it, long shadows beside every animal.",
        _place("summer", "clear", "meadow", (33.0, 240.0), 30.0, 15.0, (0.0, 13.0, 0.0), fence=True),
        (
            _cow(-4.0, 9.0, 40, "holstein", "graze", 81),
            _cow(1.5, 9.6, 130, "fleckvieh", "stand", 82),
            _cow(5.6, 11.4, 200, "holstein", "walk", 83),
            _cow(-1.4, 12.6, -30, "jersey", "graze", 84),
            _cow(-6.8, 13.8, 80, "brown_swiss", "stand", 85),
            _cow(2.9, 14.6, 255, "angus", "graze", 86),
            _cow(7.6, 16.4, 150, "charolais", "lie", 87),
            _cow(-3.4, 17.6, 10, "holstein", "walk", 88),
            _cow(1.0, 19.0, -70, "hereford", "stand", 89),
            _other("sheep", -7.6, 18.6, 30, "graze", 90),
        ),
    ),
    Still(
        "far_herd", "Far herd", "Small and far away: a herd strung out over the hills.",
        _place("summer", "haze", "hills", (36.0, 200.0), 50.0, 2.4, (0.0, 40.0, 0.5), fence=False, barn=False),
        (
            _cow(-9.0, 30.0, 10, "holstein", "graze", 101),
            _cow(-3.4, 32.0, 190, "fleckvieh", "graze", 102),
            _cow(2.6, 29.0, 170, "holstein", "walk", 103),
            _cow(7.8, 33.5, -20, "jersey", "graze", 104),
            _cow(-12.0, 40.0, 25, "brown_swiss", "stand", 105),
            _cow(-5.4, 43.0, 180, "hereford", "graze", 106),
            _cow(0.6, 41.0, 160, "holstein", "lie", 107),
            _cow(5.2, 45.0, 200, "angus", "walk", 108),
            _cow(12.4, 42.0, 10, "charolais", "graze", 109),
            _cow(-8.6, 55.0, 0, "holstein", "graze", 110),
            _cow(3.4, 58.0, 185, "fleckvieh", "stand", 111),
            _cow(10.8, 60.0, 30, "jersey", "graze", 112),
        ),
    ),
    Still(
        "dusk", "Dusk", "The last light of the day on cows that turn home.",
        _place(
            "summer", "dusk", "meadow", (5.0, 285.0), 48.0, 1.6, (0.0, 12.0, 0.95), fence=False, exposure=-0.9
        ),
        (
            _cow(-2.0, 8.8, 5, "jersey", "walk", 121),
            _cow(1.7, 10.8, 10, "holstein", "walk", 122),
            _cow(-4.2, 13.8, 0, "fleckvieh", "low", 123),
            _cow(4.7, 15.0, -15, "brown_swiss", "stand", 124),
            _cow(0.2, 17.2, 5, "holstein", "walk", 125),
        ),
    ),
    Still(
        "winter_cows", "Winter day", "Hardy cows on a bare winter pasture.",
        _place("winter", "haze", "snow", (20.0, 205.0), 45.0, 1.7, (0.0, 11.0, 0.9), fence=True),
        (
            _cow(-1.5, 8.4, -35, "angus", "stand", 131),
            _cow(2.3, 10.2, 190, "hereford", "low", 132),
            _cow(-4.3, 13.2, 15, "charolais", "lie", 133),
            _cow(0.7, 15.4, 200, "angus", "walk", 134),
            _cow(5.2, 16.8, -25, "hereford", "stand", 135),
        ),
    ),
    Still(
        "calf_and_mother", "Calf and mother", "A calf keeps close to its mother, half hidden by her.",
        _place("spring", "clear", "lush", (40.0, 195.0), 52.0, 1.5, (0.0, 9.0, 0.8), fence=False, grass_m=0.08),
        (
            _cow(0.3, 8.6, 184, "jersey", "stand", 141),
            _cow(-1.55, 7.4, 150, "jersey", "stand", 142, 0.52),
            _cow(2.0, 10.6, 170, "jersey", "graze", 143, 0.56),
            _cow(-3.7, 13.6, 20, "jersey", "graze", 144),
            _cow(4.4, 15.6, 200, "fleckvieh", "lie", 145),
        ),
    ),
    Still(
        "stubble_walk", "After the harvest", "Cows cross a stubble field in single file.",
        _place("autumn", "clear", "stubble", (27.0, 160.0), 45.0, 1.8, (0.0, 12.0, 0.8), fence=False),
        (
            _cow(-4.2, 11.0, 6, "holstein", "walk", 151),
            _cow(-0.9, 10.6, 4, "fleckvieh", "walk", 152),
            _cow(2.4, 10.9, 8, "brown_swiss", "low", 153),
            _cow(4.9, 13.4, 10, "charolais", "walk", 154),
            _cow(-2.2, 16.2, 185, "holstein", "graze", 155),
        ),
    ),
    Still(
        "sheep_and_dog", "Sheep and dog", "A dog watches its sheep: no cow in this picture.",
        _place("spring", "clear", "hills", (35.0, 215.0), 45.0, 1.6, (0.0, 10.0, 0.55), fence=True),
        (
            _other("dog", -1.8, 6.6, 30, "stand", 161),
            _other("sheep", 0.9, 8.2, 190, "graze", 162),
            _other("sheep", 2.8, 9.4, 170, "stand", 163),
            _other("sheep", -0.6, 10.4, 15, "graze", 164),
            _other("sheep", -3.4, 11.6, -20, "walk", 165),
            _other("sheep", 1.6, 12.4, 200, "stand", 166),
            _other("sheep", 4.6, 13.2, 160, "lie", 167),
            _other("sheep", -1.9, 14.6, 10, "graze", 168),
            _other("person", -4.6, 14.8, -40, "stand", 169),
        ),
    ),
    Still(
        "horses", "Horses", "Horses at the fence: no cow in this picture.",
        _place("summer", "haze", "lush", (38.0, 200.0), 45.0, 1.7, (0.0, 11.0, 0.95), fence=True),
        (
            _other("horse", -1.9, 8.8, -25, "stand", 171),
            _other("horse", 2.2, 10.6, 190, "graze", 172),
            _other("horse", -4.4, 15.0, 20, "walk", 173),
            _other("person", 0.5, 9.4, -110, "stand", 174),
        ),
    ),
    Still(
        "empty_pasture", "Empty pasture", "Nobody is here: a good detector says nothing.",
        _place("summer", "clear", "meadow", (36.0, 150.0), 35.0, 1.7, (0.0, 14.0, 0.9), fence=True, clutter=3),
        (),
    ),
)  # fmt: skip
