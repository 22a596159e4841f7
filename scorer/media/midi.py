"""Notes of a MIDI file."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from scorer.media.bounds import MAX_NOTES, MAX_SECONDS, Undecodable, decoding, open_file

if TYPE_CHECKING:
    import mido

Event: TypeAlias = "tuple[int, mido.Message]"
"""(tick, message)."""

_MOST_BYTES = 1 << 20
_MOST_BEATS = 20_000
_DRUMS = 9
_USUAL_TEMPO = 500_000


@dataclass(frozen=True, slots=True)
class Note:
    """One note. start, end: seconds; start_beat, end_beat: quarter notes.

    pitch: 0..127, 60 is middle C. velocity: 1..127. program: General MIDI's, 0..127. drum: on channel 10.
    """

    start: float
    end: float
    pitch: int
    velocity: int
    program: int
    drum: bool
    start_beat: float
    end_beat: float


def read_notes(path: str | Path) -> list[Note]:
    """The notes of a MIDI file of type 0 or 1, by start, pitch and program; those of channel 10 are drums. Raises Undecodable.

    A note that is never ended ends with the piece. Pedals are not looked at. A file without notes gives an empty list.
    """
    with decoding(path, "MIDI file"), open_file(path, _MOST_BYTES) as file:
        import mido

        song = mido.MidiFile(file=file, clip=True)
        if song.type not in {0, 1}:
            raise Undecodable(f"is a MIDI file of type {song.type}, whose tracks are pieces of their own")
        if song.ticks_per_beat == 0:
            raise Undecodable("counts no ticks")
        events = _events(song)
        clock = _Clock(song.ticks_per_beat, events)
        return _notes(events, clock)


class _Clock:
    """Seconds and beats of ticks."""

    def __init__(self, division: int, events: list[Event]) -> None:
        self._fixed = 0.0
        self._division = float(division)
        if division < 0:  # SMPTE: frames a second, ticks a frame
            frames, ticks = 256 - (division >> 8 & 0xFF), division & 0xFF
            self._fixed = 1.0 / ((29.97 if frames == 29 else float(frames)) * max(ticks, 1))
            self._division = 1.0 / (self._fixed * 2.0)  # a beat of half a second
        self._changes = [(0, 0.0, _USUAL_TEMPO)]
        for tick, message in events:
            if message.type == "set_tempo":
                self._changes.append((tick, self._after(self._changes[-1], tick), message.tempo))

    def seconds(self, tick: int) -> float:
        import bisect

        at = bisect.bisect_right(self._changes, tick, key=lambda change: change[0]) - 1
        return self._after(self._changes[at], tick)

    def beats(self, tick: int) -> float:
        return tick / self._division

    def _after(self, change: tuple[int, float, int], tick: int) -> float:
        begin, seconds, tempo = change
        if self._fixed:
            return seconds + (tick - begin) * self._fixed
        return seconds + (tick - begin) * tempo * 1e-6 / self._division


def _events(song: mido.MidiFile) -> list[Event]:
    """(tick, message) of all tracks in order of time."""
    found = []
    for track in song.tracks:
        tick = 0
        for message in track:
            tick += message.time
            found.append((tick, message))
    found.sort(key=lambda event: event[0])
    return found


def _notes(events: list[Event], clock: _Clock) -> list[Note]:
    programs: dict[int, int] = {}
    sounding: dict[tuple[int, int], deque[tuple[int, int, int]]] = defaultdict(deque)
    notes: list[Note] = []
    last = events[-1][0] if events else 0
    if clock.beats(last) > _MOST_BEATS:
        raise Undecodable(f"lasts {clock.beats(last):,.0f} beats; at most {_MOST_BEATS:,} are read")
    if clock.seconds(last) > MAX_SECONDS:
        raise Undecodable(f"lasts {clock.seconds(last):.0f} s; at most {MAX_SECONDS:.0f} s are read")

    def end(channel: int, pitch: int, tick: int) -> None:
        begin, velocity, program = sounding[channel, pitch].popleft()
        if len(notes) >= MAX_NOTES:
            raise Undecodable(f"has more than {MAX_NOTES:,} notes")
        notes.append(
            Note(
                start=clock.seconds(begin),
                end=clock.seconds(tick),
                pitch=pitch,
                velocity=velocity,
                program=program,
                drum=channel == _DRUMS,
                start_beat=clock.beats(begin),
                end_beat=clock.beats(tick),
            )
        )

    for tick, message in events:
        match message.type:
            case "program_change":
                programs[message.channel] = message.program
            case "note_on" if message.velocity > 0:
                sounding[message.channel, message.note].append((tick, message.velocity, programs.get(message.channel, 0)))
            case "note_on" | "note_off" if sounding.get((message.channel, message.note)):
                end(message.channel, message.note, tick)
    for (channel, pitch), open_notes in sorted(sounding.items()):
        for _note in range(len(open_notes)):
            end(channel, pitch, last)
    return sorted(notes, key=lambda note: (note.start, note.pitch, note.program, note.end, note.velocity))
