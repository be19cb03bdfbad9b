"""Channels the bot is or was in, with their own settings."""

from storage.queries.connection import Connection, insert
from storage.queries.rows import channel as channel_of
from storage.queries.rows import channel_row
from storage.queries.values import to_text
from storage.records import Channel, ChannelRow


def channel(connection: Connection, channel: Channel) -> ChannelRow | None:
    sql = "SELECT * FROM channel WHERE platform = :platform AND id = :id"
    row = connection.row(sql, platform=channel.platform, id=channel.id)
    return channel_of(row) if row else None


def put_channel(connection: Connection, row: ChannelRow) -> None:
    insert(
        connection,
        "channel",
        channel_row(row),
        conflict="ON CONFLICT (platform, id) DO UPDATE SET direct = excluded.direct,"
        " settings = excluded.settings, left_ms = excluded.left_ms,"
        " moved_to = excluded.moved_to",
    )


def set_channel(connection: Connection, channel: Channel, key: str, value: str | None) -> None:
    settings = {**held(connection, channel).settings, key: value}
    if value is None:
        del settings[key]
    connection.run(
        "UPDATE channel SET settings = :settings WHERE platform = :platform AND id = :id",
        platform=channel.platform,
        id=channel.id,
        settings=to_text(settings),
    )


def held(connection: Connection, channel: Channel) -> ChannelRow:
    """The channel's row, made if need be; written, so that no other transaction changes it now."""
    insert(
        connection,
        "channel",
        channel_row(ChannelRow(channel)),
        conflict="ON CONFLICT (platform, id) DO UPDATE SET direct = channel.direct",
    )
    sql = "SELECT * FROM channel WHERE platform = :platform AND id = :id"
    [row] = connection.rows(sql, platform=channel.platform, id=channel.id)
    return channel_of(row)
