"""`fleettwin publish` at work: the parts, wired."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import structlog

from infra.kafka_clients import greet_any, opened_producer
from infra.kafka_security import client_security
from infra.servers import kafka_address
from infra.settings import Settings
from models.errors import Unavailable
from streams.publish.asking import Asking, asked
from streams.publish.conditions import Conditions
from streams.publish.configuration import Wanted
from streams.publish.folding import Folding
from streams.publish.metrics import PublishMetrics
from streams.publish.planning import Plan
from streams.publish.publisher import Measuring, Publisher
from streams.publish.registry import chosen_source
from streams.publish.schedule import Beats, offset_of
from streams.publish.shipping import Kafka, Shipping
from streams.publish.spool import opened_spool
from streams.publish.state_folder import opened_state

log = structlog.get_logger()


@dataclass(frozen=True)
class Work:
    """One publisher."""

    settings: Settings
    wanted: Wanted
    plan: Plan
    folder: Path
    wished: Event
    """Set by whoever wants it to end."""

    def until_stopped(self) -> None:
        """Beat until the end is wished.

        Raises:
            ConfigurationError: Kafka or the source will not have it so.
            Unavailable: the source's library is not installed, or the spool is none.
        """
        with self._parts() as (publisher, shipping, asking):
            _discover(asking)
            with self._metrics_served(publisher.measuring.metrics), shipping.running():
                interval = self.wanted.interval_seconds
                offset = offset_of(self.plan.name, interval)
                log.info("publishing", name=self.plan.name, interval=interval, state=str(self.folder))
                publisher.run(Beats(interval, offset, time.time(), time.monotonic()), self.wished.wait)
        if shipping.refusal is not None:
            raise shipping.refusal

    def once(self) -> bool:
        """Send one beat; says whether there was any reading.

        Raises:
            ConfigurationError: Kafka or the source will not have it so.
            Unavailable: as `until_stopped`, or Kafka has not taken it.
        """
        with self._parts() as (publisher, shipping, asking):
            _discover(asking)
            told = publisher.measuring.told_once(self.wished.wait)
            with shipping.running():
                publisher.publish(told)
                sent = shipping.await_empty(lambda: not self.wished.is_set(), self.settings.kafka.patience_seconds)
        if shipping.refusal is not None:
            raise shipping.refusal
        if not sent:
            way_out = "The next publisher with this --state-dir sends it"
            raise Unavailable("Kafka", f"it has not taken all; what is left waits in {self.folder}", way_out)
        return bool(told.readings)

    @contextmanager
    def _parts(self) -> Iterator[tuple[Publisher, Shipping, Asking]]:
        plan, metrics = self.plan, PublishMetrics(self.plan.source)
        source = chosen_source(plan.source, plan.options)
        with ExitStack() as opened:
            state = opened.enter_context(opened_state(self.folder))
            spool = opened.enter_context(opened_spool(state.spool, round(self.wanted.spool_mebibytes * 2**20)))
            metrics.watch(lambda: spool.fill.records, lambda: spool.fill.bytes)
            kept = spool.conditions()
            conditions = None if kept is None else Conditions.restored(kept)
            folding = Folding(plan.options.catalogue, state.sequence, plan.states, conditions)
            asking = opened.enter_context(asked(source, plan.options.timeout_seconds))
            publisher = Publisher(plan.name, Measuring(asking, folding, metrics), spool)
            if spool.fill.records:
                log.info("records wait from before", records=spool.fill.records, bytes=spool.fill.bytes)
            yield publisher, Shipping(self._kafka(), spool, metrics, self.wished.set), asking

    @contextmanager
    def _metrics_served(self, metrics: PublishMetrics) -> Iterator[None]:
        if self.wanted.metrics_port is None:
            yield
            return
        end = metrics.serve(self.wanted.metrics_host, self.wanted.metrics_port)
        try:
            yield
        finally:
            end()

    def _kafka(self) -> Kafka:
        settings = self.settings

        def greet() -> None:
            greet_any(kafka_address(settings), settings.kafka, client_security(settings.kafka))

        return Kafka(settings.kafka.topic_prefix, lambda: opened_producer(settings), greet)


def _discover(asking: Asking) -> None:
    """Log what was found; what cannot be asked yet is asked again with every beat."""
    try:
        for component in asking.discover():
            identity = component.identity
            log.info(
                "found",
                node=f"{identity.site}/{identity.node}",
                installed=component.installed,
                type=component.type,
                about=component.about,
            )
    except Unavailable as missing:
        log.warning("not found yet", why=str(missing))
