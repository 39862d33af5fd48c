"""How the cost of a call grows, as an SVG: CPU time over calls in flight, and over connections."""

import math
from html import escape

import growth
from figures import BRIDGE

_COLOURS = ("#d1495b", "#00798c", "#edae49", "#66a182", "#2e4057")
_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 380, 300, 70, 50, 90
_STYLE = "text{font:12px sans-serif;fill:#333}.axis{stroke:#999}.grid{stroke:#ddd}"


class _Panel:
    """One diagram; both axes are logarithmic."""

    def __init__(self, left, title, counts, most_us):
        self._left, self._title, self._counts = left, title, counts
        self._steps = [10**power for power in range(math.ceil(math.log10(most_us)) + 1)]

    def _x(self, count):
        span = math.log(self._counts[-1]) - math.log(self._counts[0])
        return self._left + _WIDTH * (math.log(count) - math.log(self._counts[0])) / span

    def _y(self, microseconds):
        share = math.log(max(microseconds, 1)) / math.log(self._steps[-1])
        return _TOP + _HEIGHT * (1 - share)

    def frame(self):
        bottom = _TOP + _HEIGHT
        yield f'<text x="{self._left}" y="{_TOP - 12}">{escape(self._title)}</text>'
        for step in self._steps:
            y = self._y(step)
            yield _line("grid", self._left, y, self._left + _WIDTH, y)
            yield _text(self._left - 8, y + 4, f"{step} us", "end")
        for count in self._counts:
            yield _line("axis", self._x(count), bottom, self._x(count), bottom + 5)
            yield _text(self._x(count), bottom + 20, f"{count:,}", "middle")
        yield _line("axis", self._left, bottom, self._left + _WIDTH, bottom)

    def curve(self, points, colour, is_bold):
        """`points` are pairs of a count and microseconds."""
        places = [(self._x(count), self._y(us), us) for count, us in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
        width = 3 if is_bold else 1.5
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
        for x, y, us in places:
            hint = f"<title>{us:.1f} us</title>"
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}">{hint}</circle>'


def _line(kind, x1, y1, x2, y2):
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x, y, text, anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _points(results, name, titles):
    medians = [(count, results.median(title, name, growth.METRIC)) for count, title in titles]
    return [(count, median) for count, median in medians if median is not None]


def svg(results):
    """None where the run has no figures for it."""
    panels = {
        "CPU time a call, by calls in flight": [
            (count, growth.in_flight_title(count)) for count in growth.IN_FLIGHT
        ],
        "CPU time a call, by connections with one call each": [
            (count, growth.connections_title(count)) for count in growth.CONNECTIONS
        ],
    }
    names = [BRIDGE, *results.peers]
    curves = {(p, n): _points(results, n, titles) for p, titles in panels.items() for n in names}
    most = max((us for points in curves.values() for _, us in points), default=0)
    if most == 0:
        return None
    parts = []
    for number, (title, titles) in enumerate(panels.items()):
        left = _LEFT + number * (_WIDTH + _GAP)
        panel = _Panel(left, title, [count for count, _ in titles], most)
        parts += panel.frame()
        for name, colour in reversed(list(zip(names, _COLOURS, strict=False))):
            parts += panel.curve(curves[title, name], colour, name == BRIDGE)
    for number, (name, colour) in enumerate(zip(names, _COLOURS, strict=False)):
        x, y = _LEFT + number * 130, _TOP + _HEIGHT + 50
        parts.append(f'<rect x="{x}" y="{y - 10}" width="20" height="10" fill="{colour}"/>')
        parts.append(_text(x + 26, y, name))
    size = f'width="{2 * _WIDTH + _LEFT + _GAP + 30}" height="{_TOP + _HEIGHT + 70}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{_STYLE}</style>'
    background = '<rect width="100%" height="100%" fill="white"/>'
    return "\n".join([head, background, *parts, "</svg>"]) + "\n"
