"""A small picture of ratios, written as SVG by hand: bars on a logarithmic scale, the tool alone at 1."""

import math
from collections.abc import Sequence

_LEFT, _WIDTH, _ROW, _TOP, _MOST = 320, 420, 26, 48, 1000.0
_COLOURS = (("first time", "#8fb3d9"), ("one file changed", "#2f6fb0"))


def plot(title: str, rows: Sequence[tuple[str, float, float]]) -> str:
    """Each row: its words, and how much faster than the tool the first time and when one file has changed."""
    height = _TOP + _ROW * len(rows) + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 60}" height="{height}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="100%" height="100%" fill="white"/><text x="8" y="16" font-size="13">{title}</text>',
        *(_key(number, words, colour) for number, (words, colour) in enumerate(_COLOURS)),
        *(_line(ratio, height) for ratio in (0.5, 1, 10, 100, 1000)),
        *(_row(number, *row) for number, row in enumerate(rows)),
    ]
    return "\n".join([*parts, "</svg>", ""])


def _place(ratio: float) -> float:
    """From half as fast to a thousand times as fast."""
    return _LEFT + _WIDTH * (math.log10(min(max(ratio, 0.5), _MOST)) + 0.301) / 3.301


def _key(number: int, words: str, colour: str) -> str:
    left = 8 + 130 * number
    return f'<rect x="{left}" y="26" width="9" height="9" fill="{colour}"/><text x="{left + 14}" y="35">{words}</text>'


def _line(ratio: float, height: int) -> str:
    x = _place(ratio)
    words = f'<text x="{x:.0f}" y="{height - 8}" text-anchor="middle">{ratio:g}x</text>'
    stroke = "#333" if ratio == 1 else "#ccc"
    return f'<line x1="{x:.1f}" y1="{_TOP - 4}" x2="{x:.1f}" y2="{height - 22}" stroke="{stroke}"/>{words}'


def _row(number: int, words: str, *ratios: float) -> str:
    top, start = _TOP + _ROW * number, _place(1)
    bars = [f'<text x="{_LEFT - 8}" y="{top + 14}" text-anchor="end">{words}</text>']
    for offset, ratio, (_, colour) in zip((0, 10), ratios, _COLOURS, strict=True):
        end = _place(ratio)
        left, width = min(start, end), max(abs(end - start), 1)
        bars.append(f'<rect x="{left:.1f}" y="{top + offset}" width="{width:.1f}" height="9" fill="{colour}"/>')
        bars.append(f'<text x="{max(start, end) + 4:.0f}" y="{top + offset + 9}" font-size="9">{ratio:.1f}</text>')
    return "".join(bars)
