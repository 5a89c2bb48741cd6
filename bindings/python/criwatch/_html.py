"""Tables for notebooks."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any, Dict, List, Sequence

#: The most rows that are shown. More make a notebook slow, and nobody reads them.
MOST = 200


class Tabular:
    """An object with rows that a notebook shows as a table."""

    def rows(self) -> List[Dict[str, Any]]:
        """A flat dictionary for each row."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return table_of(self.rows())


def table_of(rows: Sequence[Dict[str, Any]]) -> str:
    """Rows with the same keys as an HTML table, the first of them if there are very many."""
    if not rows:
        return "<p>nothing</p>"
    head = "".join(f"<th>{escape(key)}</th>" for key in rows[0])
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(_shown(value))}</td>' for value in row.values())}</tr>" for row in rows[:MOST]
    )
    more = f"<p>{len(rows) - MOST} more</p>" if len(rows) > MOST else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else str(value)
