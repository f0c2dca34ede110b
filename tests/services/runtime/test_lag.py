"""How far behind a service is, and what readiness says of it."""

import time
from dataclasses import dataclass

from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry, Gauge

from services.kafka.consumer_lag import ConsumerLag
from services.runtime.lag import Lag, LagMonitor
from tests.eventually import eventually_async

FIRST, SECOND = TopicPartition("commands", 0), TopicPartition("commands", 1)


@dataclass
class Record:
    offset: int
    timestamp: int
    topic: str = "commands"
    partition: int = 0


class Consumer:
    def __init__(self, positions, ends) -> None:
        self.positions, self.ends = positions, ends

    def assignment(self):
        return set(self.ends)

    def known_positions(self):
        return dict(self.positions)

    async def end_offsets(self, partitions):
        return {partition: self.ends[partition] for partition in partitions}


def ms(seconds_ago):
    return int((time.time() - seconds_ago) * 1000)


async def test_it_counts_what_lies_before_the_ends_of_all_partitions():
    consumer = Consumer({FIRST: 10, SECOND: 5}, {FIRST: 12, SECOND: 5})

    assert (await ConsumerLag().measure(consumer)).count == 2


async def test_what_is_in_hand_is_not_done_yet_and_as_old_as_its_oldest():
    consumer, lag = Consumer({FIRST: 12, SECOND: 5}, {FIRST: 12, SECOND: 5}), ConsumerLag()
    lag.set_in_hand([Record(10, ms(30)), Record(11, ms(3)), Record(4, ms(60), partition=1)])

    in_hand = await lag.measure(consumer)
    lag.set_in_hand(())

    assert in_hand.count == 3
    assert 60 <= in_hand.seconds < 65
    assert await lag.measure(consumer) == Lag(0, 0.0)


async def test_a_partition_whose_position_is_not_known_yet_counts_nothing():
    assert await ConsumerLag().measure(Consumer({}, {FIRST: 1_000})) == Lag(0, 0.0)


async def test_what_is_not_fetched_waits_since_its_end_was_first_seen(monkeypatch):
    consumer, lag = Consumer({FIRST: 0}, {FIRST: 5}), ConsumerLag()
    begun = time.time()
    assert (await lag.measure(consumer)).seconds < 1

    consumer.ends[FIRST] = 9
    monkeypatch.setattr(time, "time", lambda: begun + 20)
    assert 19 < (await lag.measure(consumer)).seconds <= 20

    consumer.positions[FIRST] = 5
    assert (await lag.measure(consumer)) == Lag(4, 0.0)


async def test_a_watch_tells_too_great_a_lag_and_what_can_not_be_measured_and_gets_well_again(
    monkeypatch,
):
    monkeypatch.setattr("services.runtime.lag._MEASURE_SECONDS", 0.01)
    now: Lag | Exception = Lag(11, 4.0)
    registry = CollectorRegistry()
    gauges = Gauge("events", "-", registry=registry), Gauge("seconds", "-", registry=registry)

    async def measure() -> Lag:
        if isinstance(now, Exception):
            raise now
        return now

    watch = LagMonitor("events wait", measure, gauges, most=10)
    watch.start()

    async def until(failure):
        async def is_told() -> bool:
            return watch.failure == failure

        await eventually_async(is_told)

    try:
        await until("11 events wait, more than 10")
        assert registry.get_sample_value("events") == 11
        assert registry.get_sample_value("seconds") == 4
        now = ConnectionRefusedError()
        await until("can't be measured: ConnectionRefusedError")
        now = Lag(10, 1.0)
        await until(None)
    finally:
        await watch.stop()
