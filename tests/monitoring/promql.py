"""Just enough of PromQL to know which metrics and labels a query names: a reader for lint, no judge of syntax.

Prometheus itself judges the syntax (promtool, and the integration test's real server).
"""

import re

TOKEN = re.compile(r"""
    (?P<space>\s+)
  | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<range>\[[^\]]*\])
  | (?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)
  | (?P<variable>\$\{?\w+\}?)
  | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
  | (?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^(){},<>=@])
""", re.VERBOSE)
WORDS = {"by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "bool", "offset", "inf", "nan"}
GROUPERS = {"by", "without", "on", "ignoring", "group_left", "group_right"}


class NotRead(ValueError):
    pass


def tokens(query):
    at, out = 0, []
    while at < len(query):
        found = TOKEN.match(query, at)
        if not found:
            raise NotRead(f"cannot read {query[at:at + 20]!r} in {query!r}")
        at = found.end()
        if found.lastgroup != "space":
            out.append((found.lastgroup, found.group()))
    return out


def read(query):
    """([(metric, {label: (sign, value)})…], [labels named in by(), on() and the like])."""
    found, selectors, grouped, i = tokens(query), [], [], 0
    while i < len(found):
        kind, text = found[i]
        follows = found[i + 1][1] if i + 1 < len(found) else ""
        i += 1
        if kind != "name":
            if text == "{":
                raise NotRead(f"a selector without a metric in {query!r}")
            continue
        if text in GROUPERS and follows == "(":
            i += 1
            while found[i][1] != ")":
                if found[i][0] == "name":
                    grouped.append(found[i][1])
                i += 1
        elif text in WORDS or follows == "(" or (text.isalpha() and i < len(found) and follows in GROUPERS):
            continue  # a word, a function, an aggregation
        else:
            labels = {}
            if follows == "{":
                i += 1
                while found[i][1] != "}":
                    if found[i][0] == "name":
                        labels[found[i][1]] = (found[i + 1][1], found[i + 2][1][1:-1])
                        i += 3
                    else:
                        i += 1
            selectors.append((text, labels))
    return selectors, grouped
