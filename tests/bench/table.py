"""The figures of a run as a table, for a terminal or for the README."""

import re

import growth
import targets
from figures import BRIDGE, DIRECT, FLOOR
from works import HANGS

MET, MISSED = "met", "MISSED"
_MARKS = re.compile(r"(<!-- \./dev bench .*?-->\n).*?(<!-- end -->)", re.DOTALL)


def short(value):
    """Three digits that count."""
    if value >= HANGS:
        return "hangs"
    if abs(value) >= 9995:
        return f"{value / 1000:.1f}k"
    if value == 0 or abs(value) >= 99.5:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 9.95 else f"{value:.1f}"


def _cell(row):
    if row is None:
        return ""
    if row["min"] == row["max"]:
        return short(row["median"])
    return f"{short(row['median'])} ({short(row['min'])}-{short(row['max'])})"


def _ratios(results, work, metric):
    best = results.best_peer(work, metric)
    found = []
    for name in (best, DIRECT, FLOOR):
        ratio = name and results.ratio(work, metric, name)
        if ratio is not None:
            found.append(f"{ratio:.2f} of {name}")
    return ", ".join(found)


def verdicts(results, work, metric):
    """(target, met or not) of those that these figures say something about."""
    others = {targets.BEST: results.best_peer(work, metric)}
    others |= {targets.DIRECT: DIRECT, targets.FLOOR: FLOOR}
    for target in targets.ALL:
        if (target.work, target.metric) != (work, metric):
            continue
        if target.of == targets.ITSELF:
            value = results.median(work, BRIDGE, metric)
        else:
            value = results.ratio(work, metric, others[target.of])
        if value is not None:
            yield target, target.is_met(value)


def _target(results, work, metric):
    return "; ".join(
        f"{MET if is_met else MISSED}: {target}"
        for target, is_met in verdicts(results, work, metric)
    )


def _is_growth(work):
    return work.startswith((growth.in_flight_title(1)[:-1], growth.connections_title(1)[:-1]))


def _lines(results, is_shown):
    names = [BRIDGE, *results.peers, DIRECT]
    lines = [["work", "metric", *names, "ratio of the bridge", "target"]]
    last = None
    for work, metric in results.titles():
        rows = [results.row(work, name, metric) for name in names]
        if not any(rows) or not is_shown(work, metric):
            continue
        cells = [_cell(row) for row in rows]
        ratios, target = _ratios(results, work, metric), _target(results, work, metric)
        lines.append([work if work != last else "", metric, *cells, ratios, target])
        last = work
    return lines


def _floors(results):
    return [
        f"{metric}: {_cell(results.row(work, FLOOR, metric))}"
        for work, metric in results.titles()
        if work.startswith("floors")
    ]


def plain(results):
    lines = _lines(results, lambda work, metric: True)
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    made = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return "\n".join([*made, "", "floors:", *(f"  {line}" for line in _floors(results))])


def markdown(results, machine, versions):
    lines = _lines(results, lambda work, metric: not _is_growth(work) and metric != "p99 us")
    rows = ["| " + " | ".join(line) + " |" for line in lines]
    rows.insert(1, "|---" * len(lines[0]) + "|")
    where = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_mib']} MiB, Linux "
    where += machine["kernel"]
    which = ", ".join(f"{name} {version}" for name, version in versions.items())
    floors = "; ".join(_floors(results))
    return "\n".join(
        [*rows, "", f"Floors: {floors}.", "", f"Machine: {where}.", f"Versions: {which}."]
    )


def renewed(text, made):
    """A text with a table between marks, and this one instead."""
    return _MARKS.sub(lambda found: f"{found[1]}\n{made}\n\n{found[2]}", text)
