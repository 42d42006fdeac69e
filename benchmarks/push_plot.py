"""What a push costs beside a bare one, as a small picture: SVG by hand, one bar a server, a bare push at 1."""

from collections.abc import Mapping

_LEFT, _WIDTH, _BAR, _TOP = 220, 460, 11, 48
_COLOURS = {"gitolite3": "#b8b8b8", "warm judge": "#2f6fb0", "hooks by themselves": "#b3cde8"}


def plot(title: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    """Each row: its words, and the time of each column, `bare` among them."""
    names = [name for name in _COLOURS if all(name in each for each in rows.values())]
    most = max(each[name] / each["bare"] for each in rows.values() for name in names)
    row_height = _BAR * len(names) + 12
    height = _TOP + row_height * len(rows) + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 60}" height="{height}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="100%" height="100%" fill="white"/><text x="8" y="16" font-size="13">{title}</text>',
        *(_key(number, name) for number, name in enumerate(names)),
        *(_line(ratio, most, height) for ratio in range(1, int(most) + 1)),
    ]
    for number, (words, each) in enumerate(rows.items()):
        top = _TOP + row_height * number
        middle = top + _BAR * len(names) // 2 + 4
        parts.append(f'<text x="{_LEFT - 8}" y="{middle}" text-anchor="end">{words}</text>')
        parts += [_bar(top + _BAR * at, name, each[name] / each["bare"], most) for at, name in enumerate(names)]
    return "\n".join([*parts, "</svg>", ""])


def _key(number: int, name: str) -> str:
    left = 8 + 150 * number
    box = f'<rect x="{left}" y="26" width="9" height="9" fill="{_COLOURS[name]}"/>'
    return f'{box}<text x="{left + 14}" y="35">{name}</text>'


def _line(ratio: int, most: float, height: int) -> str:
    x = _LEFT + _WIDTH * ratio / most
    stroke = "#333" if ratio == 1 else "#ccc"
    line = f'<line x1="{x:.1f}" y1="{_TOP - 4}" x2="{x:.1f}" y2="{height - 22}" stroke="{stroke}"/>'
    return f'{line}<text x="{x:.0f}" y="{height - 8}" text-anchor="middle">{ratio}x</text>'


def _bar(top: int, name: str, ratio: float, most: float) -> str:
    width = _WIDTH * ratio / most
    bar = f'<rect x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR - 2}" fill="{_COLOURS[name]}"/>'
    return f'{bar}<text x="{_LEFT + width + 4:.0f}" y="{top + 8}" font-size="9">{ratio:.2f}</text>'
