"""What the bot counts, in a registry of its own; `/metrics` on the internal listener shows it."""

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

_BBB_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The metrics.

    Labels take few values: words of ours, server names of the configuration; never ids, names or
    what people typed.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.commands = Counter(
            "bbb_bot_commands",
            "Commands carried out, by verb (others: `unknown`) and outcome: done, refused, failed",
            ["verb", "outcome"],
            registry=registry,
        )
        self.outbox_waiting = Gauge(
            "bbb_bot_outbox_waiting", "Messages not yet accepted by a chat", registry=registry
        )
        self.outbox_dead = Gauge(
            "bbb_bot_outbox_dead", "Messages that a chat refused for good", registry=registry
        )
        self.chat_sends = Counter(
            "bbb_bot_chat_sends",
            "Messages sent, by platform and outcome: sent, retry, dead",
            ["platform", "outcome"],
            registry=registry,
        )
        self.chat_mode = Gauge(
            "bbb_bot_chat_mode",
            "1 for the way in which a chat, by platform, is heard now (live, polling, down), 0 for"
            " the others",
            ["platform", "mode"],
            registry=registry,
        )
        self.bbb_seconds = Histogram(
            "bbb_bot_bbb_call_seconds",
            "Time of calls to BBB, by call (create, getMeetingInfo ...)",
            ["call"],
            buckets=_BBB_SECONDS,
            registry=registry,
        )
        self.bbb_resting = Gauge(
            "bbb_bot_bbb_resting",
            "1 while a BBB server, by its name in the configuration, does not answer and is left"
            " alone",
            ["server"],
            registry=registry,
        )
        self.joins = Counter(
            "bbb_bot_joins",
            "Presses of the join button, by outcome: joined, waits_for_start, waits_for_server,"
            " waits_for_place, refused, chat_silent, too_often, not_found",
            ["outcome"],
            registry=registry,
        )
        self.waiting_pages = Gauge(
            "bbb_bot_waiting_pages", "Join pages held open", registry=registry
        )
        self.tasks = Gauge(
            "bbb_bot_tasks", "Things the event loop has begun and not ended", registry=registry
        )
        ProcessCollector(registry=registry)

    def page(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        return generate_latest(self._registry)
