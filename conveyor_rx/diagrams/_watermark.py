"""Where on the time axis does the watermark stand, if it is to be drawn?"""

from __future__ import annotations

from ._recording import Recording

__all__ = ["instant_of_watermark", "tells_watermark"]


def tells_watermark(recording: Recording) -> bool:
    """Tell whether the watermark says anything: of a run that did not come to its source's end."""
    has_come_to_end = recording.outcome == "completed" and recording.drained is None
    return recording.watermark is not None and not has_come_to_end


def instant_of_watermark(recording: Recording) -> float | None:
    """Give an instant after the last item that is settled was pulled, and before the next was.

    It is that of the last one if no other was pulled, or others at once. None: there is no
    watermark to be drawn, or not all of these items are recorded.
    """
    watermark = recording.watermark
    if watermark is None or not tells_watermark(recording):
        return None
    marbles = recording.source.marbles
    pulled = {number: marble.ready for marble in marbles for number in marble.inputs[:1]}
    if any(number not in pulled for number in range(watermark)):
        return None
    settled = max((pulled[number] for number in range(watermark)), default=0.0)
    later = (ready for number, ready in pulled.items() if number >= watermark)
    return (settled + min(later, default=settled)) / 2 if watermark else 0.0
