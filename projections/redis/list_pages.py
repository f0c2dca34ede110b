"""Pages of the list of checkouts: from the list's indexes, and the two records of each checkout there."""

from __future__ import annotations

from collections.abc import Callable

import orjson
from redis.asyncio import Redis

from projections.list_index import SORT_KEY_DIGITS, list_item
from projections.list_page import ListFilter, ListPage, UnknownCursor
from projections.redis import scripts
from projections.redis.keys import Keys
from projections.redis.records import is_partial, value_of
from projections.registry import CHECKOUT_VIEW, LIST_INDEX

_PAGE = (
    scripts.FENCE
    + scripts.HEAD
    + f"local DIGITS = {SORT_KEY_DIGITS}\n"
    + """
-- KEYS: what the views were built under, the set of the checkouts that lack a record, how many entries each
-- index has, and the indexes.
-- ARGV: how many entries at most, the lowest and the highest that are wanted (as ZRANGEBYLEX has it), the
-- id after which to go on, or '', the beginnings of the keys of the views and of the list's records, and the
-- names of the indexes.
-- Returns what the views were built under, how many entries there are in all, 1 if more are to
-- come, and the view and the record of each; of a checkout to go on after that isn't there, the first alone.
-- If an index has lost entries, or has some that their records don't name, or the record of the checkout to
-- go on after was lost, it returns false alone.
local built_under = redis.call('GET', KEYS[1])
local limit, low, high, last = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local view, record = ARGV[5], ARGV[6]

-- An index, or all counts, may have been removed or evicted: then the views are not whole, and a projector
-- builds them again.
local counts = redis.call('HMGET', KEYS[3], '', unpack(ARGV, 7))
local is_whole = counts[1]
for k = 4, #KEYS do
  if redis.call('ZCARD', KEYS[k]) ~= tonumber(counts[k - 2] or 0) then is_whole = false end
end
if not is_whole then
  redis.call('UNLINK', KEYS[1])
  return {false}
end

-- By bytes, as Redis sorts; Lua's own comparison goes by the server's locale.
local byte = string.byte
local function is_later(a, b)
  for i = 1, #a do
    local x, y = byte(a, i), byte(b, i) or -1
    if x ~= y then return x > y end
  end
  return false
end

local first = high
if last ~= '' then
  local _, _, entry = head_of(record .. last)
  local member = string.match(entry, '^%S+')
  if not member and redis.call('EXISTS', view .. last) == 1 then
    redis.call('SADD', KEYS[2], last)
    return {false}
  end
  if not member then return {built_under} end
  local after = '(' .. member
  if high == '+' or is_later(high, after) then first = after end
end

local count, lists, at = 0, {}, {}
for k = 4, #KEYS do
  count = count + redis.call('ZLEXCOUNT', KEYS[k], low, high)
  lists[k - 3] = redis.call('ZREVRANGEBYLEX', KEYS[k], first, low, 'LIMIT', 0, limit + 1)
  at[k - 3] = 1
end

local page = {built_under, count, 0}
for _ = 1, limit + 1 do
  local newest
  for l, list in ipairs(lists) do
    local entry = list[at[l]]
    if entry and (not newest or is_later(entry, lists[newest][at[newest]])) then newest = l end
  end
  if not newest then break end
  if #page == 3 + 2 * limit then
    page[3] = 1
    break
  end
  local member, index = lists[newest][at[newest]], ARGV[6 + newest]
  local id = string.sub(member, DIGITS + 1)
  local stored_view, stored_record = redis.call('GET', view .. id), redis.call('GET', record .. id)
  if not (stored_view and stored_record) then redis.call('SADD', KEYS[2], id) end
  local _, _, named = parsed(stored_record or '')
  if named ~= '' and not string.find(named .. ' ', ' ' .. index .. ' ', 1, true) then
    -- Its record was lost before the checkout moved to another index. The next page is without it.
    each_index('ZREM', string.sub(KEYS[3], 1, -1 - #COUNTS), member .. ' ' .. index)
    is_whole = false
  end
  page[#page + 1] = stored_view
  page[#page + 1] = stored_record
  at[newest] = at[newest] + 1
end
return is_whole and page or {false}
"""
)


class ListPages:
    """Reads pages."""

    def __init__(self, redis: Redis) -> None:
        self._page = redis.register_script(_PAGE)

    async def read(
        self,
        keys: Keys,
        wanted: ListFilter,
        limit: int,
        cursor: str | None,
        are_readable: Callable[[bytes | None], bool],
    ) -> ListPage | None:
        """A page, as `RedisViews.page` has it. `are_readable` judges by what the records were built under
        whether they are complete and trusted.
        """
        records = (keys.record(CHECKOUT_VIEW.name), keys.record(LIST_INDEX.name))
        indexes = wanted.indexes()
        reply = await self._page(
            keys=[keys.built_under, keys.lost, keys.index_counts, *map(keys.index, indexes)],
            args=[limit, *wanted.bounds(), cursor or "", *records, *indexes],
        )
        if not are_readable(reply[0]):
            return None
        if len(reply) == 1:
            raise UnknownCursor(cursor)
        _, total_count, has_more, *found = reply
        bodies = [value_of(stored, CHECKOUT_VIEW, or_partial=True) for stored in found[::2]]
        # The two records of a checkout are partial together.
        times = [
            value_of(stored, LIST_INDEX, or_partial=is_partial(view))
            for view, stored in zip(found[::2], found[1::2], strict=True)
        ]
        items = [
            list_item(orjson.loads(body), when)
            for body, when in zip(bodies, times, strict=True)
            if body and when
        ]
        # The projector repairs what is lost, and what a process of an older revision has written since.
        whole = len(items) == len(bodies)
        return ListPage(items, bool(has_more), total_count) if whole else None
