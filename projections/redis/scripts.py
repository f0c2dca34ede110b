"""What Redis does in one step, in Lua.

A record is a line `<version> <revision>[ <member> <index>…]` and then its value.
"""

from __future__ import annotations

from projections.list_index import SORT_KEY_DIGITS

RECORD = "checkout:"
"""The beginning of a record's key: then the projection's name, `:` and the checkout's id."""
HEAD_BYTES = 500
"""More than the first line of a record can have."""

HEAD = f"""
-- Of a record's first line: version, revision, member, and the indexes with a space between.
local function head_of(key)
  local head = redis.call('GETRANGE', key, 0, {HEAD_BYTES - 1})
  local version, revision, member, indexes = string.match(head, '^(%d+) (%d+) ?(%S*) ?([^\\n]*)\\n')
  return tonumber(version or 0), tonumber(revision or 0), member or '', indexes or ''
end
"""

APPLY = (
    HEAD
    + """
-- KEYS: the positions. ARGV: the number of partitions, then for each of them its name, the position
-- we expect and the new one; the number of projections, then for each of them the beginning of its keys
-- and its revision; then for each checkout its id and version, and for each projection entry and value.
local partitions = tonumber(ARGV[1])
local at = 2
for _ = 1, partitions do
  local position = redis.call('HGET', KEYS[1], ARGV[at]) or ''
  if position ~= ARGV[at + 1] then return 0 end
  at = at + 3
end
for p = 1, partitions do
  redis.call('HSET', KEYS[1], ARGV[3 * p - 1], ARGV[3 * p + 1])
end

local function apply(key, version_text, revision_text, entry, value)
  local version, revision = tonumber(version_text), tonumber(revision_text)
  local member, indexes = string.match(entry, '^(%S*) ?(.*)$')
  local v, r, old_member, old_indexes = head_of(key)
  if version > v or (version == v and revision > r) then
    for index in string.gmatch(old_indexes, '%S+') do redis.call('ZREM', index, old_member) end
    local line = version_text .. ' ' .. revision_text
    if entry ~= '' then line = line .. ' ' .. entry end
    redis.call('SET', key, line .. '\\n' .. value)
    v, r = version, revision
  end
  if version == v and revision == r then  -- also when nothing is new: a rebuild mends the indexes
    for index in string.gmatch(indexes, '%S+') do redis.call('ZADD', index, 0, member) end
  end
end

local projections, first = tonumber(ARGV[at]), at + 1
at = first + 2 * projections
while at < #ARGV do
  local id, version = ARGV[at], ARGV[at + 1]
  at = at + 2
  for p = first, first + 2 * projections - 1, 2 do
    apply(ARGV[p] .. id, version, ARGV[p + 1], ARGV[at], ARGV[at + 1])
    at = at + 2
  end
end
return 1
"""
)

OUTDATED = (
    HEAD
    + """
-- ARGV: the number of projections, then for each of them the beginning of its keys and its revision;
-- then for each checkout its id and version. Returns the ids of those of which a record is missing, older
-- than the version or of an older revision.
local last = 1 + 2 * tonumber(ARGV[1])
local found = {}
for at = last + 1, #ARGV, 2 do
  local id, version = ARGV[at], tonumber(ARGV[at + 1])
  for p = 2, last, 2 do
    local v, r = head_of(ARGV[p] .. id)
    if v < version or (v == version and r < tonumber(ARGV[p + 1])) then
      found[#found + 1] = id
      break
    end
  end
end
return found
"""
)

REMOVE = (
    HEAD
    + """
-- KEYS: the record. ARGV: what was seen there. Removes it unless it has changed since.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local _, _, member, indexes = head_of(KEYS[1])
for index in string.gmatch(indexes, '%S+') do redis.call('ZREM', index, member) end
redis.call('DEL', KEYS[1])
return 1
"""
)

PAGE = (
    HEAD
    + f"local DIGITS = {SORT_KEY_DIGITS}\n"
    + """
-- KEYS: what the views were built under, and the indexes. ARGV: how many entries at most, the lowest
-- and the highest that are wanted (as ZRANGEBYLEX has it), the id after which to go on, or '', and
-- the beginnings of the keys of the views and of the list's records.
-- Returns what the views were built under, how many entries there are in all, 1 if more are to
-- come, and the view and the record of each; of a checkout to go on after that isn't there, the first alone.
local built_under = redis.call('GET', KEYS[1])
local limit, low, high, last = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local view, record = ARGV[5], ARGV[6]

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
  local _, _, member = head_of(record .. last)
  if member == '' then return {built_under} end
  local after = '(' .. member
  if high == '+' or is_later(high, after) then first = after end
end

local count, lists, at = 0, {}, {}
for k = 2, #KEYS do
  count = count + redis.call('ZLEXCOUNT', KEYS[k], low, high)
  lists[k - 1] = redis.call('ZREVRANGEBYLEX', KEYS[k], first, low, 'LIMIT', 0, limit + 1)
  at[k - 1] = 1
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
  local id = string.sub(lists[newest][at[newest]], DIGITS + 1)
  page[#page + 1] = redis.call('GET', view .. id)
  page[#page + 1] = redis.call('GET', record .. id)
  at[newest] = at[newest] + 1
end
return page
"""
)


def record_key(projection: str, checkout_id: str = "") -> str:
    """The key of a record, or the beginning of the keys of all records of a projection."""
    return f"{RECORD}{projection}:{checkout_id}"
