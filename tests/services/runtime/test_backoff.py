"""The pauses between retries: they grow up to a limit, and differ between processes."""

from itertools import islice

from services.runtime.backoff import pauses


def test_each_pause_is_at_most_twice_the_one_before_and_never_above_the_longest():
    found = list(islice(pauses(0.5, 5.0), 200))

    for pause, longest in zip(found, [0.5, 1.0, 2.0, 4.0, *[5.0] * 196], strict=True):
        assert longest * 0.8 <= pause <= longest


def test_processes_that_failed_together_do_not_retry_together():
    first, second = (list(islice(pauses(0.1, 5.0), 10)) for _ in range(2))

    assert not set(first) & set(second)
