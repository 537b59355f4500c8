-- SPDX-License-Identifier: BSD-2-Clause
--
-- The end of charge.lua: what is read, remembered and changed of notes, which are hashes, from the first that is there.
--
-- Items stand in the plan from notes on, one for each of the keys behind the subjects':
--         what to do 1 octet, number of parts 1, life 6 (ms; 0: for ever), fields at most 2; the parts
--         READ, REMOVE fields (none: all); SET, REPLACE a name and a value each;
--         MARK a field, amount 6, period 4 (s), a text; LIST a cursor and a pattern for keys
-- Strings have their length 2 before them.
-- Adds for each item that reads: number of strings 4, and these: name, value, name, value ...;
-- a LIST gives its next cursor as ("", cursor), then for each key ("", key) and its names and values.
--
-- A mark's value is "first last count usual periods text"; store_note.h says what they are, mark.c
-- reckons as is done here.

local SET, REPLACE, REMOVE, MARK, LIST = 1, 2, 3, 4, 5 -- READ is 0
local STRINGS_MAX, STRING_MAX = 1000, 4096 -- of one note; of one string
local AMOUNT_MAX, AMOUNT_NEW, GAP_MAX = 1099511627776, 281474976710655, 60
local SCAN_STEP = '200'
local now_sec = (now - now % 1000) / 1000

local function part_at(at)
    local size = open('<I2', plan, at)
    return sub(plan, at + 2, at + 1 + size), at + 2 + size
end

local function parts_at(at, count)
    local parts = {}
    for n = 1, count do
        parts[n], at = part_at(at)
    end
    return parts, at
end

-- What is longer than anything that Sluice writes is not from Sluice, and left out.
local function add_pair(list, name, value)
    if value and #name <= STRING_MAX and #value <= STRING_MAX then
        list[#list + 1] = pack('<I2c0', #name, name)
        list[#list + 1] = pack('<I2c0', #value, value)
    end
end

local function add_all(list, key)
    local all = call('HGETALL', key)
    for n = 1, #all < STRINGS_MAX and #all or STRINGS_MAX, 2 do
        add_pair(list, all[n], all[n + 1])
    end
end

-- Lives for life ms at least; what was kept for ever still is.  left: what PTTL said before the change.
local function prolong(key, life, left)
    if life == 0 then
        call('PERSIST', key)
    elseif left ~= -1 and left < life then
        call('PEXPIRE', key, string.format('%.0f', life))
    end
end

-- The older periods weigh less and less.  A burst teaches no more than BURST_TIMES the usual: what a
-- thief sends once is not usual the next time.
local BURST_TIMES, BURST_LEAST = 4, 10000
local function usual_with(usual, periods, count)
    if periods == 0 then
        return count * 1000
    end
    local most = BURST_TIMES * (usual > BURST_LEAST and usual or BURST_LEAST)
    local step = (count * 1000 < most and count * 1000 or most) - usual
    return usual + (step - step % 4) / 4
end

local function marked(value, amount, period, text, keep)
    local first, last, count, usual, periods, words
    if value then
        first, last, count, usual, periods, words = string.match(value, '^(%d+) (%d+) (%d+) (%d+) (%d+) (.*)$')
    end
    first, last, count, usual, periods = tonumber(first), tonumber(last), tonumber(count), tonumber(usual), tonumber(periods)
    local told = #text > 0 and text or words or ''
    if not first or now_sec - last > keep then
        first, last, count, usual, periods = now_sec, now_sec, amount, 0, 0
    else
        if known then
            amount = 0
        end
        local ahead = 0
        if period > 0 then
            ahead = (now_sec - now_sec % period - last + last % period) / period
        end
        if ahead > 0 then
            usual = usual_with(usual, periods, count)
            for n = 2, ahead < GAP_MAX and ahead or GAP_MAX do
                usual = usual_with(usual, periods + n - 1, 0)
            end
            periods, count = periods + ahead, 0
        end
        count = count + amount
        if now_sec > last then
            last = now_sec
        end
    end
    if count > AMOUNT_MAX then
        count = AMOUNT_MAX
    end
    return string.format('%.0f %.0f %.0f %.0f %.0f %s', first, last, count, usual, periods, told)
end

-- Forgets what was not seen for too long, and then what was seen longest ago; by name where that is alike.
local function prune(key, keep, most)
    local all, ages = call('HGETALL', key), {}
    for n = 1, #all, 2 do
        local last = tonumber(string.match(all[n + 1], '^%d+ (%d+) ')) or 0
        if now_sec - last > keep then
            call('HDEL', key, all[n])
        else
            ages[#ages + 1] = {last, all[n]}
        end
    end
    if #ages > most then
        table.sort(ages, function(a, b)
            return a[1] < b[1] or a[1] == b[1] and a[2] < b[2]
        end)
        for n = 1, #ages - most do
            call('HDEL', key, ages[n][2])
        end
    end
end

local function mark(key, at, count, life, most)
    local keep, fields, amounts, periods, texts = life / 1000, {}, {}, {}, {}
    for n = 1, count do
        fields[n], at = part_at(at)
        amounts[n], periods[n], at = open('<I6I4', plan, at)
        texts[n], at = part_at(at)
    end
    if operation ~= CHARGE or refused then
        return at
    end
    local before, sets, fresh = call('HMGET', key, unpack(fields)), {'HSET', key}, 0
    for n = 1, count do
        local value = before[n]
        for m = 1, n - 1 do
            if fields[m] == fields[n] then
                value = sets[2 + 2 * m]
            end
        end
        local amount = amounts[n] == AMOUNT_NEW and fresh or amounts[n]
        fresh = value and fresh or fresh + 1
        sets[1 + 2 * n], sets[2 + 2 * n] = fields[n], marked(value, amount, periods[n], texts[n], keep)
    end
    local left = call('PTTL', key)
    call(unpack(sets))
    if fresh > 0 then
        prune(key, keep, most)
    end
    prolong(key, life, left)
    return at
end

local function list_keys(list, parts, key)
    local page = call('SCAN', parts[1], 'MATCH', parts[2], 'COUNT', SCAN_STEP)
    add_pair(list, '', page[1])
    for _, found in ipairs(page[2]) do
        if call('TYPE', found).ok == 'hash' then
            add_pair(list, '', found)
            add_all(list, found)
        end
    end
end

-- All is read before anything is changed.
local at, done = items, {}
for n = read + 1, note_count do
    local action, count, life, most, list = open('<BBI6I2', plan, at)
    local key, parts = KEYS[#KEYS - note_count + n], nil
    done[n] = at + 10
    if action == MARK then
        at = done[n]
        for _ = 1, count do
            at = select(2, part_at(at)) + 10
            at = select(2, part_at(at))
        end
    else
        parts, at = parts_at(done[n], count)
    end
    list = {}
    if action == READ and count == 0 then
        add_all(list, key)
    elseif action == READ then
        local values = call('HMGET', key, unpack(parts))
        for m = 1, count do
            add_pair(list, parts[m], values[m])
        end
    elseif action == LIST then
        list_keys(list, parts)
    end
    if action == READ or action == LIST then
        told = told .. pack('<I4', #list) .. table.concat(list)
    end
    done[n] = {action, count, life, most, key, parts, done[n]}
end

for n = read + 1, note_count do
    local action, count, life, most, key, parts, from = unpack(done[n], 1, 7)
    if action == MARK then
        mark(key, from, count, life, most)
    elseif action == REMOVE then
        local gone = count == 0 and call('DEL', key) or count > 0 and call('HDEL', key, unpack(parts))
        known = known or gone > 0
    elseif action == SET or action == REPLACE then
        if action == REPLACE then
            call('DEL', key)
        end
        if count > 0 then
            local left = call('PTTL', key)
            call('HSET', key, unpack(parts))
            prolong(key, life, left)
        end
    end
end

return pack('<BBI6', refused and 1 or 0, (known or void) and 1 or 0, now) .. answer .. told
