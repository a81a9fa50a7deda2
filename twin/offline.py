"""The whole twin in one process: the same machines, with the ledger between them held in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import orjson

from models import topics
from models.catalogue import Catalogue
from models.record import Outgoing, Record
from twin.admission import admit
from twin.fleet import FleetMachine
from twin.rules import Rules
from twin.telemetry import TelemetryMachine


@dataclass
class OfflineTwin:
    """Folds the inputs as the live twin does, or, for a log that holds the ledger, the ledger as it was written."""

    rules: Rules
    catalogue: Catalogue
    partitions: int
    ledger_given: bool = False
    telemetry: dict[int, TelemetryMachine] = field(default_factory=dict)
    fleet: FleetMachine = field(init=False)
    _offset: int = 0

    def __post_init__(self) -> None:
        self.fleet = FleetMachine(self.rules, self.catalogue)
        self.telemetry = {
            partition: TelemetryMachine(partition, self.partitions, self.rules, self.catalogue)
            for partition in range(self.partitions)
        }

    def fold(self, record: Record) -> list[Outgoing]:
        """Take in a record of an input or of the ledger; all that the twin would send comes out, ledger included."""
        match record.topic:
            case topics.TELEMETRY:
                outputs = self.telemetry[record.partition].fold(record)
            case topics.SITES | topics.DEMAND:
                outputs = [admit(record, self.catalogue)]
            case topics.LEDGER:
                return self.fleet.fold(record)
            case _:
                return []
        if self.ledger_given:
            return outputs
        entries = [self._entered(output) for output in outputs if output.topic == topics.LEDGER]
        return outputs + [output for entry in entries for output in self.fleet.fold(entry)]

    def _entered(self, output: Outgoing) -> Record:
        """The output as the ledger's next record."""
        self._offset += 1
        return Record(topics.LEDGER, 0, self._offset - 1, 0, output.key, output.value, output.headers)

    def digest(self) -> str:
        """The state hash: SHA-256 over the digests of all sites and of the fleet; how they were cut does not show."""
        sites = {site: digest for machine in self.telemetry.values() for site, digest in machine.digests().items()}
        whole = {"fleet": self.fleet.digest(), "sites": sites}
        return hashlib.sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest()
