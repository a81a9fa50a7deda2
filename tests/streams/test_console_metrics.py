"""The console's metrics: what is counted, and that no label takes what somebody else has written."""

from __future__ import annotations

import asyncio
import re

from prometheus_client.parser import text_string_to_metric_families

from models.dead_letter import refused_record
from models.errors import RecordRefused
from models.record import Outgoing, Record
from models.topics import LEDGER, TELEMETRY
from streams.console.live import LiveFleet
from streams.console.metrics import Metrics
from tests.builders import SITE, T0
from tests.console_builders import ask, built, event, folding, shortage_record, site_record, tick_records

ODD = 'node "<b>"'


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_records_are_counted_by_topic_and_by_what_became_of_them() -> None:
    metrics = Metrics(LiveFleet(), dict)
    record = Record(TELEMETRY, 0, 7, T0, b"k", b"v")
    for _ in range(3):
        metrics.folded(record)
    metrics.sent(Outgoing(LEDGER, None, b"", (), "i"))
    metrics.sent(refused_record(record, RecordRefused("unknown_type", "why")))
    found = samples(metrics.text().decode())

    assert found["fleettwin_records_total", (("result", "folded"), ("topic", TELEMETRY))] == 3
    assert found["fleettwin_records_total", (("result", "sent"), ("topic", LEDGER))] == 1
    assert found["fleettwin_records_total", (("result", "refused"), ("topic", TELEMETRY))] == 1
    assert found["fleettwin_dead_letters_total", (("reason", "unknown_type"), ("topic", TELEMETRY))] == 1


def test_delays_shortages_and_lag_are_told() -> None:
    made = built(None, shortage_record(event("a")), shortage_record(event("b")))
    made.take(site_record(SITE, T0))
    answer = asyncio.run(ask(made, "/metrics"))
    found = samples(answer.text)

    assert answer.headers["content-type"].startswith("text/plain")
    assert found["fleettwin_site_state_delay_seconds_bucket", (("le", "0.5"),)] == 0
    assert found["fleettwin_site_state_delay_seconds_bucket", (("le", "0.75"),)] == 1
    assert found["fleettwin_open_shortages", (("resource", "power"), ("severity", "warning"))] == 2
    assert found["fleettwin_lag_records", (("partition", "0"), ("topic", "fleet.telemetry.v1"))] == 3
    assert ("fleettwin_lag_records", (("partition", "1"), ("topic", "fleet.telemetry.v1"))) not in found
    assert ("process_resident_memory_bytes", ()) in found


def test_no_label_takes_a_name_that_a_sender_chose() -> None:
    made = built(folding({ODD: [ODD]}), *tick_records(sites=[ODD]), shortage_record(event(ODD)))
    text = asyncio.run(ask(made, "/metrics")).text

    assert not re.search(r"[<>]|node", text.replace("nodename", ""))
