"""How does a diagram become a page of its own? Both colour schemes, and details at the pointer.

The page loads nothing: its policy lets only its own style and its own script through, whatever the
labels hold. The script moves the titles of shapes into a box that shows at once, also for readers
who go from shape to shape with the keyboard; without it browsers show the titles as they are.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from .._text.labels import xml
from ._colours import THEMES

__all__ = ["page"]

_SCRIPT = """
'use strict';
const tip = document.getElementById('tip');
for (const title of document.querySelectorAll('svg title')) {
  const shape = title.parentNode;
  shape.dataset.tip = title.textContent;
  shape.setAttribute('aria-label', title.textContent);
  shape.setAttribute('tabindex', '0');
  title.remove();
}
function show(shape, x, y) {
  if (!shape) { tip.hidden = true; return; }
  tip.textContent = shape.dataset.tip;
  tip.hidden = false;
  const left = Math.min(x + 14, innerWidth - tip.offsetWidth - 8);
  const below = y + 18 + tip.offsetHeight < innerHeight;
  tip.style.left = Math.max(8, left) + 'px';
  tip.style.top = (below ? y + 18 : y - tip.offsetHeight - 10) + 'px';
}
addEventListener('pointermove', event =>
  show(event.target.closest?.('[data-tip]'), event.clientX, event.clientY));
addEventListener('focusin', event => {
  const box = event.target.getBoundingClientRect();
  show(event.target.closest('[data-tip]'), box.right, box.bottom);
});
addEventListener('keydown', event => { if (event.key === 'Escape') show(null); });
"""
_STYLE = """
body { margin: 0; background: %(light)s; }
main { overflow-x: auto; padding: 16px; }
.dark { display: none; }
[data-tip]:hover, [data-tip]:focus-visible { filter: brightness(0.86); outline: none; }
#tip {
  position: fixed; max-width: 420px; padding: 7px 10px; border-radius: 7px; z-index: 1;
  font: 13px/1.45 ui-sans-serif, system-ui, sans-serif; pointer-events: none;
  color: #fff; background: #1d2430; box-shadow: 0 3px 14px rgb(0 0 0 / 0.35);
  overflow-wrap: anywhere;
}
#tip[hidden] { display: none; }
@media (prefers-color-scheme: dark) {
  body { background: %(dark)s; }
  .light { display: none; }
  .dark { display: block; }
  #tip { color: #10151d; background: #f2f5fa; }
  [data-tip]:hover, [data-tip]:focus-visible { filter: brightness(1.25); }
}
"""


def page(title: str, light: str, dark: str) -> str:
    """Return an HTML page that shows the picture `light` or `dark`, as its reader prefers."""
    style = _STYLE % {name: theme.ground for name, theme in THEMES.items()}
    policy = (
        f"default-src 'none'; script-src 'sha256-{_digest(_SCRIPT)}'; style-src 'unsafe-inline'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{xml(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<main class="light">{light}</main>\n<main class="dark">{dark}</main>\n'
        '<div id="tip" role="tooltip" hidden></div>\n'
        f"<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def _digest(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()
