"""What is made of dead letters: what they say, what of it would be taken now, and what people may correct."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from cli.dlq import showing
from models.catalogue import extended_catalogue
from models.errors import ConfigurationError, RecordRefused
from models.instants import Instant
from models.record import Outgoing, Record
from models.replay_note import AGAIN, is_note, note, read_note
from models.telemetry import Readings, TelemetryDecoder
from streams.letters.again import Judge, Judged
from streams.letters.contents import payload_of
from streams.letters.corrections import corrected, read_corrections
from streams.letters.finding import Letter, Wanted, letter_in
from tests.builders import CATALOGUE, NEW_TYPE, SITE, T0, demand, facts, frame, json_reading, row
from twin.admission import admit
from twin.rules import Rules
from twin.telemetry import TelemetryMachine

NOW = Instant(T0 + 3_600_000)


def letter_of(refused: Record) -> Letter:
    """The letter that the twin writes of a record."""
    machine = TelemetryMachine(0, 1, Rules(), CATALOGUE)
    outputs = machine.fold(refused) if refused.topic == "fleet.telemetry.v1" else [admit(refused, CATALOGUE)]
    return letter_in(stored(outputs[0]))


def stored(output: Outgoing) -> Record:
    return Record(output.topic, 0, 7, T0 + 1000, output.key, output.value, output.headers)


def mixed(*rows: dict[str, Any]) -> Letter:
    """The letter of a frame with two good rows around these."""
    return letter_of(frame([row("first"), *rows, row("last")]))


def sent_rows(judged: Judged) -> list[str]:
    """The nodes of the frame that would be sent."""
    assert judged.record is not None
    found = TelemetryDecoder(judge(new=True).catalogue).decode(judged.record)
    assert isinstance(found, Readings)
    return list(found.columns.roster.nodes)


def judge(*, new: bool = False) -> Judge:
    return Judge(extended_catalogue(NEW_TYPE, "new.yaml") if new else CATALOGUE, NOW)


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(frame([row(), row("b", power_watts=-1.0)]), id="rows-of-a-frame"),
        pytest.param(json_reading(row(installed=0)), id="a-reading"),
        pytest.param(demand(types=["abacus"]), id="a-demand"),
        pytest.param(facts(pue=0.5), id="facts"),
        pytest.param(Record("fleet.telemetry.v1", 3, 4, T0, None, None), id="nothing-at-all"),
    ],
)
def test_a_letter_gives_its_record_back_as_it_was(refused: Record) -> None:
    found = letter_of(refused).refused

    assert (found.topic, found.partition, found.offset) == (refused.topic, refused.partition, refused.offset)
    assert (found.key, found.value, found.headers) == (refused.key, refused.value, refused.headers)


def test_of_a_frame_the_rows_that_were_refused_and_are_good_now_are_sent_alone() -> None:
    letter = mixed(row("new", type="abacus"), row("bad", power_watts=-43.0))
    before, after = judge().judge(letter), judge(new=True).judge(letter)

    assert (before.record, [refusal.row for refusal in before.refused]) == (None, [1, 2])
    assert (sent_rows(after), after.readings) == (["new"], 1)
    assert [(refusal.row, refusal.code) for refusal in after.refused] == [(2, "out_of_range")]


def test_of_more_rows_than_a_letter_lists_all_good_ones_are_sent() -> None:
    letter = letter_of(frame([row("good"), *(row(f"n{number}", type="abacus") for number in range(600))]))

    assert len(letter.rows) == 500
    assert len(sent_rows(judge(new=True).judge(letter))) == 601


@pytest.mark.parametrize(
    ("refused", "taken"),
    [
        pytest.param(demand(types=["abacus"]), True, id="a-demand-for-a-type-that-is-known-by-now"),
        pytest.param(json_reading(row(type="abacus")), True, id="a-reading-of-such-a-type"),
        pytest.param(replace(json_reading(row(at=T0 + 120_000)), timestamp=T0), True, id="a-future-that-has-come"),
        pytest.param(facts(pue=0.5), False, id="facts-that-make-no-sense-still"),
        pytest.param(json_reading(row(installed=0)), False, id="a-reading-that-makes-none"),
        pytest.param(Record("fleet.telemetry.v1", 0, 0, T0, None, None), False, id="nothing"),
    ],
)
def test_what_is_good_by_now_is_sent_and_says_where_it_stood(refused: Record, taken: bool) -> None:
    letter = letter_of(refused)
    judged = judge(new=True).judge(letter)

    assert (judged.record is not None, not judged.refused) == (taken, taken)
    if judged.record is not None:
        assert judged.record.header(AGAIN) == letter.place.encode()


def test_a_record_of_the_ledger_is_never_sent() -> None:
    letter = letter_in(
        Record(
            "fleet.ledger.v1.dlq",
            0,
            0,
            T0,
            None,
            b"{}",
            tuple(
                (f"__streams.errors.{name}", value)
                for name, value in (
                    ("exception", b"undecodable"),
                    ("message", b""),
                    ("topic", b"fleet.ledger.v1"),
                    ("partition", b"0"),
                    ("offset", b"1"),
                )
            ),
        )
    )

    assert [refusal.code for refusal in judge().judge(letter).refused] == ["not_sent"]


def line(letter: Letter, tmp_path: Path, change: Any) -> Path:
    """A file with the letter as `dlq show --json` writes it, changed."""
    said = orjson.loads(orjson.dumps(showing.whole(letter, [])))
    change(said)
    path = tmp_path / "corrected.jsonl"
    path.write_bytes(orjson.dumps(said) + b"\n")
    return path


def test_a_corrected_row_is_sent_without_the_others(tmp_path: Path) -> None:
    letter = mixed(row("bad", power_watts=-43.0, accelerator_utilization=[0.5] * 8))

    def positive(said: Any) -> None:
        assert [reading["node"] for reading in said["payload"]["readings"]] == ["bad"]
        said["payload"]["readings"][0]["power_watts"] = 43.0

    (correction,) = read_corrections(line(letter, tmp_path, positive)).values()
    judged = judge().judge(letter, corrected(letter, correction))

    assert (sent_rows(judged), judged.refused) == (["bad"], ())


def test_a_correction_that_is_none_is_still_refused(tmp_path: Path) -> None:
    letter = mixed(row("bad", power_watts=float("nan")))

    def unchanged(said: Any) -> None:
        assert said["payload"]["readings"][0]["power_watts"] == "NaN"

    (correction,) = read_corrections(line(letter, tmp_path, unchanged)).values()

    assert [one.code for one in judge().judge(letter, corrected(letter, correction)).refused] == ["not_a_number"]


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param([], id="no-object"),
        pytest.param({"site": SITE}, id="no-readings"),
        pytest.param({"site": SITE, "readings": [{"node": 5}]}, id="a-number-for-a-name"),
        pytest.param({"site": SITE, "readings": [{"colour": "red"}]}, id="an-unknown-column"),
        pytest.param({"site": SITE, "readings": [{"installed": 2**40}]}, id="a-number-beyond-all"),
        pytest.param({"site": SITE, "readings": [{"at": "yesterday"}]}, id="a-time-that-is-none"),
    ],
)
def test_a_frame_that_cannot_be_written_is_refused(payload: Any, tmp_path: Path) -> None:
    letter = mixed(row("bad", power_watts=-1.0))

    def replaced(said: Any) -> None:
        said["payload"] = payload

    (correction,) = read_corrections(line(letter, tmp_path, replaced)).values()

    with pytest.raises(RecordRefused):
        corrected(letter, correction)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("{", "line 1", id="no-json"),
        pytest.param('{"payload": {}}', "place", id="no-place"),
        pytest.param('{"place": "a/0/1"}', "payload", id="no-payload"),
        pytest.param('{"place": "a/0", "payload": {}}', "place", id="half-a-place"),
        pytest.param('\n{"place": "a/0/1", "payload": {}}\n' * 2, "line 4", id="twice"),
    ],
)
def test_a_line_that_is_none_is_named(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "corrected.jsonl"
    path.write_text(text)

    with pytest.raises(ConfigurationError, match=says):
        read_corrections(path)


def test_what_is_shown_has_nothing_in_it_that_a_terminal_acts_on() -> None:
    hostile = "\x1b]0;title\x07\u202e[red]\x9b31m\u2028"
    letter = letter_of(replace(json_reading(row(node=hostile)), headers=((hostile, hostile.encode()),)))
    shown = "\n".join(showing.told(letter, []))

    assert all(one.isprintable() or one == "\n" for one in shown)
    assert "\\u202e" in shown


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        pytest.param(Wanted(), True, id="any"),
        pytest.param(Wanted(reason="out_of_range"), True, id="the-reason-of-a-later-row"),
        pytest.param(Wanted(reason="future"), False, id="another-reason"),
        pytest.param(Wanted(site=SITE), True, id="its-site"),
        pytest.param(Wanted(site="abilene"), False, id="another-site"),
        pytest.param(Wanted(places={"fleet.telemetry.v1/0/0"}), True, id="its-place"),
        pytest.param(Wanted(places={"fleet.telemetry.v1/0/1"}), False, id="another-place"),
    ],
)
def test_letters_are_chosen_by_reason_site_and_place(wanted: Wanted, taken: bool) -> None:
    assert wanted.takes(mixed(row("new", type="abacus"), row("bad", power_watts=-43.0))) == taken


def test_a_note_says_when_which_record_was_sent_again() -> None:
    letter = mixed(row("bad", power_watts=-43.0))
    said = stored(note(letter.refused, NOW))

    assert (is_note(said), is_note(letter.refused)) == (True, False)
    assert read_note(said) == (letter.place, "2027-01-15T09:00:00Z")


def test_a_payload_that_cannot_be_read_is_shown_as_bytes() -> None:
    letter = letter_of(Record("fleet.telemetry.v1", 0, 0, T0, b"memphis", b"\xff\xfe{"))
    said = showing.whole(letter, [])

    assert (said["payload"], said["value_base64"]) == (None, "//57")
    with pytest.raises(RecordRefused):
        payload_of(letter.refused)


def test_a_record_that_calls_itself_a_note_has_a_letter_all_the_same() -> None:
    hostile = replace(json_reading(row(installed=0)), headers=(("fleettwin_sent_again_at", b"1"),))
    (output,) = TelemetryMachine(0, 1, Rules(), CATALOGUE).fold(hostile)

    assert not is_note(stored(output))
