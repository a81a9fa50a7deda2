"""A source whose one node is the machine that the publisher runs on, asked through a vendor's library."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from models.errors import ConfigurationError, Unavailable
from streams.publish.blocking import OneAtATime
from streams.publish.devices import Devices, Driver
from streams.publish.measures import Component, Failure, NodeMeasure, Sampled
from streams.publish.models import type_of_all
from streams.publish.options import SourceOptions


class OwnMachine:
    """The node.

    Args:
        name: As `--source` calls the source.
        driver: Who is asked.
        options: With one target, which says where the node is and what it is called.
    """

    def __init__(self, name: str, driver: Driver, options: SourceOptions) -> None:
        self.name = name
        (self._target,) = options.targets
        self._driver = driver
        self._devices = Devices(driver, self._target.installed)
        self._in_thread = OneAtATime(driver.what, driver.way_out, options.timeout_seconds)

    async def discover(self) -> Sequence[Component]:
        """The node.

        Raises:
            Unavailable: no library, no driver, no permission, no accelerator, or no answer.
            ConfigurationError: they are of no known type, or of several, and no type is configured.
        """
        return [await self._in_thread(self._component)]

    async def sample(self) -> Sampled:
        """What they say; one that is lost has a fault and does not keep the others back."""
        try:
            return await self._in_thread(self._sampled)
        except Unavailable as error:
            return Sampled(failures=(Failure(error.what, error.why),))
        except ConfigurationError as error:
            return Sampled(failures=(Failure(self._driver.what, str(error)),))

    async def close(self) -> None:
        """Let go of the driver, unless it hangs."""
        try:
            await self._in_thread(self._devices.close)
        except Unavailable:
            return

    def _component(self) -> Component:
        self._devices.open()
        models = [device.model for device in self._devices.places if device.model is not None]
        counted = [f"{count} x {model}" for model, count in Counter(models).items()]
        return Component(
            identity=self._target.identity,
            type=self._type(models),
            installed=len(self._devices.places),
            about=", ".join([*counted, f"driver {self._devices.version}"]),
        )

    def _type(self, models: Sequence[str]) -> str:
        if self._target.type is not None:
            return self._target.type
        if not models:
            raise Unavailable(self._driver.what, "no accelerator says its model", "Say the type with --type")
        return type_of_all(models, "--type")

    def _sampled(self) -> Sampled:
        at = time.time_ns() // 1_000_000
        component = self._component()
        told = self._devices.ask()
        node = NodeMeasure(component, at, told.accelerators, missing=told.missing)
        return Sampled(nodes=(node,), failures=told.failures)
