"""Marble diagrams of real runs: what waits for what, what was batched with what, where time goes.

    with record() as recorder:              diagram = await draw(pipeline(data))
        await pipeline(data).collect()      diagram.save("run.svg")
    MarbleDiagram(recorder)

How they are made:

    _recorder.py    events -> recordings (_run_recorder.py: of one run; _lane_state.py: of a stage;
                    _bounds.py: what is only counted)
    _recording.py   what is kept of a run (_workers.py: of who made its calls in executors)
    _layout.py      a recording -> shapes with places (_lane_layout.py, _line.py, _bars.py,
                    _bar_errors.py, _area.py, _scene.py, _placing.py, _axis.py, _watermark.py,
                    _thinning.py, _text_size.py, _legend.py, _words.py)
    _shapes.py      those shapes, _views.py what they form, _colours.py their colours
    _svg.py         shapes -> SVG (_svg_shapes.py, _svg_bars.py, _svg_legend.py)
    _text/          a recording -> text marbles for a terminal
    _page.py        an SVG -> a page with details at the pointer
    _live.py        a display in a notebook that keeps up with a run
    _diagram.py     what a user asks for
"""

from ._diagram import MarbleDiagram, draw, record
from ._recorder import Recorder
from ._recording import Recording

__all__ = ["MarbleDiagram", "Recorder", "Recording", "draw", "record"]
