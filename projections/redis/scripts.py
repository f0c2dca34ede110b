"""What Redis does with records in one step, in Lua. `projections.redis.records` has their format."""

from __future__ import annotations

from projections.redis.keys import INDEX_COUNTS

HEAD = (
    f"local COUNTS = '{INDEX_COUNTS}'\n"
    """
-- Of a record's first line: version, revision, and its index entry: member and the names of indexes with a
-- space between. The base of the record's key is that of its indexes, too.
local function parsed(stored)
  local version, revision, entry = string.match(stored, '^(%d+) (%d+) ?([^\\n]*)\\n')
  return tonumber(version or 0), tonumber(revision or 0), entry or ''
end

local function head_of(key)
  local head = redis.call('GETRANGE', key, 0, 255)
  local version, revision, entry = parsed(head)
  if version == 0 and #head == 256 then  -- in so many indexes that the line is longer
    return parsed(redis.call('GET', key))
  end
  return version, revision, entry
end

-- The only place that adds or removes an entry, and so the one that counts them. A count of 0 is left out.
local function each_index(command, base, entry)
  local member, indexes = string.match(entry, '^(%S+) (.+)$')
  if not member then return end
  for index in string.gmatch(indexes, '%S+') do
    local change
    if command == 'ZADD' then
      change = redis.call('ZADD', base .. index, 0, member)
    else
      change = -redis.call('ZREM', base .. index, member)
    end
    if change ~= 0 and redis.call('HINCRBY', base .. COUNTS, index, change) == 0 then
      redis.call('HDEL', base .. COUNTS, index)
    end
  end
end
"""
)

APPLY = (
    HEAD
    + """
-- KEYS: the positions, and what the views were built under. ARGV: the number of partitions, then for each of
-- them its name, the position we expect and the new one; then for each record the base and the rest of its
-- key, and its stored form.
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

for a = at, #ARGV, 3 do
  local base, key, stored = ARGV[a], ARGV[a] .. ARGV[a + 1], ARGV[a + 2]
  local version, revision, entry = parsed(stored)
  local v, r, old_entry = head_of(key)
  local is_newer = version > v or (version == v and revision > r)
  if is_newer then
    if old_entry ~= entry then each_index('ZREM', base, old_entry) end
    local set = redis.pcall('SET', key, stored)
    -- A full Redis refuses it, but not a removal: readers go to the store until the views are built again.
    if set.err then
      redis.call('UNLINK', KEYS[2])
      return set
    end
  end
  -- Also when nothing is new: a rebuild fills the indexes. They hold what the record that is here names.
  each_index('ZADD', base, is_newer and entry or old_entry)
end
return 1
"""
)

FENCE = """
-- A write that changes nothing. A replica refuses it, so a primary that was demoted answers no reader: it may
-- lose what it acknowledged before. A full Redis takes it.
redis.call('UNLINK', KEYS[1] .. ':fence')
"""

READ = (
    FENCE
    + """
-- KEYS: what the views were built under, and the record. Returns both.
return redis.call('MGET', KEYS[1], KEYS[2])
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
-- KEYS: the record. ARGV: what was seen there, and the base of the key. Removes the record unless it has
-- changed since.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local _, _, entry = head_of(KEYS[1])
each_index('ZREM', ARGV[2], entry)
redis.call('DEL', KEYS[1])
return 1
"""
)

UNLISTED = (
    HEAD
    + """
-- KEYS: records. ARGV: the base of their keys. Returns the places of those that an index lacks.
local found = {}
for place, key in ipairs(KEYS) do
  local _, _, entry = head_of(key)
  local member, indexes = string.match(entry, '^(%S+) (.+)$')
  for index in string.gmatch(indexes or '', '%S+') do
    if not redis.call('ZSCORE', ARGV[1] .. index, member) then
      found[#found + 1] = place
      break
    end
  end
end
return found
"""
)

RESET = """
-- KEYS: the counts, and indexes. ARGV: the rebuild, and the names of the indexes. Empties the indexes and
-- their counts, for this rebuild to fill, unless another one has begun since.
if redis.call('HGET', KEYS[1], '') ~= ARGV[1] then return end
for i = 2, #KEYS do
  redis.call('UNLINK', KEYS[i])
  redis.call('HDEL', KEYS[1], ARGV[i])
end
"""

FINISH = """
-- KEYS: the counts, the positions, and what the views were built under. ARGV: the rebuild, what the views
-- were built under now, and partitions with their positions. Returns 0, and does nothing, if another rebuild
-- has begun since, or the counts were lost.
if redis.call('HGET', KEYS[1], '') ~= ARGV[1] then return 0 end
for a = 3, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[a], ARGV[a + 1]) end
redis.call('SET', KEYS[3], ARGV[2])
return 1
"""

COUNTED = """
-- KEYS: the counts, and indexes. ARGV: the names of the indexes. Returns for each of them how many entries
-- were counted, and how many there are.
local found = {}
for i, count in ipairs(redis.call('HMGET', KEYS[1], unpack(ARGV))) do
  found[#found + 1] = tonumber(count or 0)
  found[#found + 1] = redis.call('ZCARD', KEYS[i + 1])
end
return found
"""
