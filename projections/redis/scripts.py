"""What Redis does in one step, in Lua.

A view is a line `<version> <revision> <updated> <created> <status> <buyer>` and then the JSON that GET
answers. The list has an index for each status, and one for each status of each buyer: a sorted set
of `<created><checkout id>`, all of score 0, so that Redis sorts them by their bytes. What is asked
for without a status is merged from all of them, so that a checkout is in two indexes and not in four.
"""

from __future__ import annotations

from projections.list_index import SORT_KEY_DIGITS

VIEW = "checkout:view:"
INDEX = "checkout:list:"
HEAD_BYTES = 200
"""More than the first line of a view can have."""

NAMES = f"""
local VIEW, INDEX, HEAD_END = '{VIEW}', '{INDEX}', {HEAD_BYTES - 1}
local ID_BEGIN = {SORT_KEY_DIGITS + 1}
"""

INDEXES = """
-- An entry's member and the indexes that it is in; none for a view from before there was a list.
local function indexes(id, entry)
  local created, status, buyer = string.match(entry, '^%x+ (%x+) (%S+) (%S+)')
  if not created then return '', {} end
  local keys = {INDEX .. status}
  if buyer ~= '-' then keys[2] = keys[1] .. ':' .. buyer end
  return created .. id, keys
end
"""

APPLY = (
    NAMES
    + INDEXES
    + """
-- KEYS: the positions. ARGV: the number of partitions, then for each of them its name, the position
-- we expect and the new one; then for each view the checkout's id, version, revision, entry and body.
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

for a = at, #ARGV, 5 do
  local id, entry, body = ARGV[a], ARGV[a + 3], ARGV[a + 4]
  local version, revision = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
  local head = redis.call('GETRANGE', VIEW .. id, 0, HEAD_END)
  local v, r, old = string.match(head, '^(%d+) (%d+) ?([^\\n]*)\\n')
  v, r = tonumber(v or 0), tonumber(r or 0)
  if version > v or (version == v and revision > r) then
    local member, keys = indexes(id, old or '')
    for _, key in ipairs(keys) do redis.call('ZREM', key, member) end
    local line = table.concat({ARGV[a + 1], ARGV[a + 2], entry}, ' ')
    redis.call('SET', VIEW .. id, line .. '\\n' .. body)
    v, r = version, revision
  end
  if version == v and revision == r then  -- also when nothing is new: a rebuild mends the indexes
    local member, keys = indexes(id, entry)
    for _, key in ipairs(keys) do redis.call('ZADD', key, 0, member) end
  end
end
return 1
"""
)

PAGE = (
    NAMES
    + """
-- KEYS: what the views were built under, and the indexes. ARGV: how many entries at most, the lowest
-- and the highest that are wanted (as ZRANGEBYLEX has it), and the id after which to go on, or ''.
-- Returns what the views were built under, how many entries there are in all, 1 if more are to
-- come, and id and view of each; of a checkout to go on after that isn't there, the first alone.
local built_under = redis.call('GET', KEYS[1])
local limit, low, high, last = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]

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
  local head = redis.call('GETRANGE', VIEW .. last, 0, HEAD_END)
  local created = string.match(head, '^%d+ %d+ %x+ (%x+) ')
  if not created then return {built_under} end
  local after = '(' .. created .. last
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
  local id = string.sub(lists[newest][at[newest]], ID_BEGIN)
  page[#page + 1] = id
  page[#page + 1] = redis.call('GET', VIEW .. id)
  at[newest] = at[newest] + 1
end
return page
"""
)

TAKE_LOCK = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""

FREE_LOCK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""
