# SPDX-License-Identifier: Apache-2.0
"""Pictures of small answers for notebooks, as SVG that needs no graphviz; graphs of objects are pictures.py."""
import html
from typing import Any, Dict, List, Tuple

_FONT = 'font-family="ui-monospace, monospace" font-size="12"'
_WIDTH = 720
_BOX_HEIGHT, _GAP, _CHARACTER = 22, 16, 7.3
_CHAINS, _BARS = 5, 15


def _svg(width: float, height: float, parts: List[str]) -> str:
    return '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" %s>%s</svg>' % (
        width, height, width, height, _FONT, "".join(parts))


def _text(x: float, y: float, text: str, extra: str = "") -> str:
    return '<text x="%.0f" y="%.0f" %s>%s</text>' % (x, y, extra, html.escape(text))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most // 2 - 1] + "\u2026" + text[-(most - most // 2):]


def chains_svg(chains: List[Dict[str, Any]]) -> str:
    """Each chain as a column of boxes from its root down to the object, edges between them."""
    shown = chains[:_CHAINS]
    width = max(len(shown), 1) * (_WIDTH / max(len(shown), 2))
    deepest = max((len(chain["steps"]) for chain in shown), default=0)
    parts = []
    for column, chain in enumerate(shown):
        parts += _column(chain["steps"], column * (_WIDTH / max(len(shown), 2)), _WIDTH / max(len(shown), 2) - 16)
    return _svg(width, deepest * (_BOX_HEIGHT + _GAP) + 8, parts)


def _column(steps: List[Dict[str, Any]], left: float, width: float) -> List[str]:
    parts = []
    most = int(width / _CHARACTER) - 2
    for number, step in enumerate(steps):
        top = 4 + number * (_BOX_HEIGHT + _GAP)
        last = number == len(steps) - 1
        if number:
            parts.append('<line x1="%.0f" y1="%.0f" x2="%.0f" y2="%.0f" stroke="#888"/>' % (
                left + 12, top - _GAP, left + 12, top))
            parts.append(_text(left + 20, top - 4, _cut(step["edge"], most), 'fill="#666"'))
        parts.append('<rect x="%.0f" y="%.0f" width="%.0f" height="%d" rx="4" fill="%s" stroke="#888"><title>%s'
                     '</title></rect>' % (left, top, width, _BOX_HEIGHT, "#ffe3c2" if last else "#eef2f6",
                                          html.escape("%s %s" % (step["addr"] or "", step["what"]))))
        parts.append(_text(left + 8, top + 15, _cut(step["type"] or step["what"], most), 'fill="#222"'))
    return parts


def bars_svg(rows: List[Tuple[str, int]]) -> str:
    """Numbers as bars beside their names; what shrank is grey."""
    shown = rows[:_BARS]
    largest = max((abs(value) for _, value in shown), default=0) or 1
    names = 30 * _CHARACTER
    parts = []
    for number, (name, value) in enumerate(shown):
        top = 4 + number * _BOX_HEIGHT
        length = (_WIDTH - names - 120) * abs(value) / largest
        parts.append(_text(0, top + 14, _cut(name, 29), 'fill="#222"'))
        parts.append('<rect x="%.0f" y="%.0f" width="%.1f" height="%d" fill="%s"/>' % (
            names, top + 3, max(length, 1), _BOX_HEIGHT - 8, "#e8833a" if value > 0 else "#bbb"))
        parts.append(_text(names + length + 6, top + 14, format(value, "+,"), 'fill="#222"'))
    return _svg(_WIDTH, len(shown) * _BOX_HEIGHT + 8, parts)
