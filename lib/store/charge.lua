-- SPDX-License-Identifier: BSD-2-Clause
--
-- One message against all its limits, in one step: look, charge, or give back.
--
-- KEYS  the message's record, where it has an identity; then a hash for each subject
-- ARGV  the fields of the first hash, those of the second, ...; last, the plan:
--         operation 1 octet (and 128: there are notes), number of subjects 1, time 6 (ms; 0: now),
--         fingerprint 8;
--         number of fields 1, for each subject;
--         for each limit: tag 6, window 4 (s), amount 6, maximum 6, near 6, flags 1, and where it
--         counts what is different (distinct.lua), the number of members 2 and a code 2 for each;
--         what notes.lua does, with its length 3: its keys stand behind the subjects'
-- Gives refused 1, known 1, now 6; for each limit: used before 6, added 6, fits in 6 (ms), flags 1;
-- what notes.lua adds
--
-- A field holds a packed window (window.h says what the octets are).  A record holds the fingerprint of
-- the message and its charges: tag 6, slice 5, amount 6, what was used then 6.  A tag stands for a
-- subject and a field, so that two programs that ask about different limits find what they share.
--
-- This runs for every message, and all of a Redis waits for it: few calls, packed arguments, and
-- nothing that is rare in the way of what is usual.  A table that grows costs more than a window does.

local LOOK, CHARGE, REPLAY, GIVE_BACK, RETURN, PROBE = 0, 1, 2, 3, 4, 5
local SAME_FIELD, DISTINCT = 2, 4 -- a limit's flags: 1 enforce, 2 counts in the field of the limit before, 4
local OVER, NEAR = 1, 2 -- an answer's flags
local NEVER = 281474976710655
local COUNT_MAX = 140737488355328
local RECORD_MAX = 4096
local RECORD_MS = '3600000'
local SKEW_MS = 50 -- CALL_SKEW_MS
local WINDOW, ENTRY, LIMIT, ANSWER = '<I5I6I6B', '<c6I5I6I6', '<c6I4I6I6I6B', '<I6I6I6B'

-- Before Redis 7 a script that asked for the time may write only when it says this first.
if not redis.REDIS_VERSION_NUM then
    redis.replicate_commands()
end

local call, pack, open = redis.call, struct.pack, struct.unpack
local byte, char, sub = string.byte, string.char, string.sub

local plan = ARGV[#ARGV]
local operation, subjects, at, fingerprint = open('<BBI6c8', plan)
local plan_size, notes, note_count = #plan, nil, 0
if operation >= 128 then
    operation = operation - 128
    plan_size = plan_size - 3 - open('<I3', plan, plan_size - 2)
    notes, note_count = plan_size + 2, byte(plan, plan_size + 1)
end
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
local placed = now -- when it happened; what a journal brings (REPLAY, RETURN) happened before
if at > 0 then
    if operation ~= REPLAY and operation ~= RETURN then
        now, placed = at, at
    elseif at < now then
        placed = at
    end
end
if operation == RETURN then
    operation = GIVE_BACK
end

-- Asks for nothing but whether Redis would take a charge now.
if operation == PROBE then
    call('SET', KEYS[1], '', 'PX', '1000')
    return pack('<BBI6', 0, 0, now)
end

-- The count in a packed entry, its distance to the next one, and where that begins.
local function entry_at(bytes, position)
    local kind, count = byte(bytes, position, position + 1)
    local gap = kind % 64
    if kind < 64 then
        return 1, gap, position + 1
    elseif kind < 128 then
        return count, gap, position + 2
    elseif kind < 192 then
        return open('<I3', bytes, position + 1), gap, position + 4
    end
    return open('<I6', bytes, position + 1), gap, position + 7
end

local function entry(count, gap)
    if count == 1 then
        return char(gap)
    elseif count < 256 then
        return char(64 + gap, count)
    elseif count < 16777216 then
        return pack('<BI3', 128 + gap, count)
    end
    return pack('<BI6', 192 + gap, count)
end

-- What was charged for this message before, if the record is this message's: MTAs use queue ids again.
-- A record without charges says when the message was given back.  Then it may be charged anew; but a charge
-- from before that, which comes late out of another program's journal, is void.  Two hosts' ideas of our clock
-- are some milliseconds apart.
local has_record = #KEYS > subjects + note_count
local record = has_record and call('GET', KEYS[1])
local others = record and sub(record, 1, 8) ~= fingerprint
local given_back = record and not others and #record == 14 and open('<I6', record, 9)
local void = given_back and operation == REPLAY and placed < given_back + SKEW_MS
local known = record and not others and not given_back
local charged, seen, latest
if known then
    charged, seen, latest = {}, {}, {}
    for start = 9, #record, 23 do
        local tag, _, amount, total = open(ENTRY, record, start)
        charged[tag] = (charged[tag] or 0) + amount
        seen[tag] = total
        latest[tag] = start
    end
else
    record = fingerprint
end

local repack, take_back
if operation >= REPLAY then
    -- A window with changes to any of its slices: the general case, for what is charged late or given back.
    repack = function(bytes, position, oldest, newest, current, count, changes)
        local counts, slice = {[newest] = count}, oldest
        while slice < newest do
            local here, gap
            here, gap, position = entry_at(bytes, position)
            counts[slice] = here
            slice = slice + gap
        end
        for changed, amount in pairs(changes) do
            if changed > current then
                changed = current
            end
            counts[changed] = (counts[changed] or 0) + amount
        end
        local body, first, last, total = '', nil, nil, 0
        for s = newest - 60, newest do
            local here = counts[s]
            if here and here > 0 then
                if last then
                    body = body .. entry(counts[last], s - last)
                end
                first, last, total = first or s, s, total + here
            end
        end
        if total == 0 then
            return pack(WINDOW, 0, 0, 0, 0), 0
        end
        return pack(WINDOW, last, counts[last], total, last - first) .. body, total
    end

    -- The changes that a give-back makes to a field: it takes what was charged beyond amount, the latest
    -- charge first, each from its own slice, and out of the record.
    take_back = function(tag, amount)
        local changes, excess = {}, charged[tag] - amount
        for start = #record - 22, 9, -23 do
            local its, slice, part, total = open(ENTRY, record, start)
            if its == tag and excess > 0 then
                local take = part < excess and part or excess
                local rest = take < part and pack(ENTRY, tag, slice, part - take, total) or ''
                excess = excess - take
                changes[slice] = (changes[slice] or 0) - take
                record = sub(record, 1, start - 1) .. rest .. sub(record, start + 23)
            end
        end
        return changes
    end
end

local first_key = has_record and 2 or 1
local windows, asked = nil, 0
for s = 1, subjects do
    local fields = byte(plan, 16 + s)
    local got = call('HMGET', KEYS[first_key + s - 1], unpack(ARGV, asked + 1, asked + fields))
    if s == 1 then
        windows = got
    else
        for f = 1, fields do
            windows[asked + f] = got[f]
        end
    end
    asked = asked + fields
end

-- Each limit is tried as if all of them fitted; the new windows are written only if they do.
local n = 0
local position = 17 + subjects
local answer, refused, changed, nears = '', false, false, nil
local subject, field, last_field = 0, 0, 0
local sets = {false, false, false, false}
local set -- of one subject: size, how long it has to live, and the arguments of HSET
local bytes, start, slice, current, newest, count, total, oldest, delta, added, registers

while position <= plan_size do
    local tag, window, amount, max, near, asks
    local members = ''
    n = n + 1
    tag, window, amount, max, near, asks, position = open(LIMIT, plan, position)
    if asks >= DISTINCT then
        local size = 2 * open('<I2', plan, position)
        members = sub(plan, position + 2, position + 1 + size)
        position = position + 2 + size
    end

    if asks % DISTINCT < SAME_FIELD then
        field = field + 1
        if field > last_field then
            subject = subject + 1
            last_field = last_field + byte(plan, 16 + subject)
            set = {4, 0, 'HSET', KEYS[first_key + subject - 1], false, false, false, false, false, false, false, false}
            sets[subject] = set
        end

        -- The window as it is now.  A clock that goes back is not followed, so that it lets nothing through;
        -- but if it goes back by more than a window, then it was wrong before, and all use becomes use of now.
        slice = window * 50
        current = now * 3 / slice
        current = current - current % 1
        bytes, start = windows[field], 19
        newest, count, total, oldest, delta, added, registers = current, 0, 0, current, 0, 0, nil
        if asks >= DISTINCT then
            if not sketch_open then
                make_sketches()
            end
            registers, newest = sketch_open(bytes, current, '', current)
            total, current = sketch_estimate(registers, newest - 60), newest
        elseif bytes then
            local span
            newest, count, total, span = open(WINDOW, bytes)
            oldest = newest - span
            if total == 0 or current - newest > 60 then
                bytes, newest, count, total, oldest = false, current, 0, 0, current
            elseif newest - current > 60 then
                bytes, newest, count, oldest = false, current, total, current
            elseif newest > current then
                current = newest
            end
            while oldest < current - 60 do
                local gone, gap
                gone, gap, start = entry_at(bytes, start)
                total, oldest = total - gone, oldest + gap
            end
        end

        local before = known and charged[tag] or 0
        local packed
        if operation == GIVE_BACK then
            if before > amount and registers then
                take_back(tag, amount) -- out of the record alone: who was written to, was
                changed = true
            elseif before > amount then
                packed, total = repack(bytes, start, oldest, newest, current, count, take_back(tag, amount))
                packed = windows[field] and packed
                changed = true
            end
        elseif amount > before and not void then
            delta = amount - before
            local part, to = delta, current
            if placed < now then
                to = placed * 3 / slice
                to = to - to % 1
            end
            if registers then
                registers, newest = sketch_open(windows[field], current, members, to)
                delta = sketch_estimate(registers, newest - 60) - total
                delta = delta > 0 and delta or 0
            elseif total + delta > COUNT_MAX then
                delta = COUNT_MAX - total
            end
            part = registers and part or delta
            if operation ~= LOOK then
                if registers then
                    packed = sketch_pack(registers, newest)
                elseif to >= newest or total == 0 and to >= current - 60 then
                    local sum, body = delta, bytes and sub(bytes, start) or ''
                    if to == newest then
                        sum = count + delta
                    elseif total > 0 then
                        body = body .. entry(count, to - newest)
                    end
                    packed = pack(WINDOW, to, sum, total + delta, total > 0 and to - oldest or 0) .. body
                elseif to >= current - 60 then
                    packed = repack(bytes, start, oldest, newest, current, count, {[to] = delta})
                end
                if (to ~= newest or not bytes or registers) and window > set[2] then
                    set[2] = window -- a new slice: the hash has to live until it counts no more
                end
                local last = known and latest[tag]
                local its, before_it = nil, 0
                if last then
                    its, before_it = select(2, open(ENTRY, record, last))
                end
                if last and (its == to or #record > RECORD_MAX) then
                    record = sub(record, 1, last - 1) .. pack(ENTRY, tag, its, before_it + part, total + delta)
                        .. sub(record, last + 23)
                else
                    record = record .. pack(ENTRY, tag, to, part, total + delta)
                end
                changed = true
            end
        end
        if packed then
            added = delta
            local size = set[1]
            set[size + 1], set[size + 2] = ARGV[field], packed
            set[1] = size + 2
        end
    end

    -- Only what is asked for anew is refused.  Who asks again about a message hears what was said first.
    local over, fit = total + delta > max, 0
    if delta == 0 then
        over = known and operation < REPLAY and asks % 2 == 0 and (seen[tag] or 0) > max
    end
    if over then
        refused = refused or asks % 2 == 1
        if amount > max then
            fit = NEVER
        elseif total + delta > max and registers then
            fit = (sketch_frees(registers, newest, max) + 61) * slice + 2
            fit = (fit - fit % 3) / 3 - now
        elseif total + delta > max then
            local excess, from, its, here, gap = total + delta - max, start, oldest, nil, nil
            while its < newest do
                here, gap, from = entry_at(bytes, from)
                excess = excess - here
                if excess <= 0 then
                    break
                end
                its = its + gap
            end
            fit = (its + 61) * slice + 2
            fit = (fit - fit % 3) / 3 - now
        end
    end
    if delta > 0 and near > 0 and total + delta >= near and operation == CHARGE then
        nears = nears or {}
        nears[#nears + 1] = {n, set[4], ARGV[field] .. ':' .. max, current}
    end
    answer = answer .. pack(ANSWER, total, added, fit, over and OVER or 0)
end

if operation == GIVE_BACK and not others then
    changed = true
end
if changed and not refused then
    for s = 1, subjects do
        local size, window, key = sets[s][1], sets[s][2], sets[s][4]
        if size > 4 then
            call(unpack(sets[s], 3, size))
        end
        if window > 0 and call('PTTL', key) < window * 1034 then
            call('PEXPIRE', key, window * 1034)
        end
    end
    if record == fingerprint then
        record = record .. pack('<I6', placed)
    end
    if has_record then
        call('SET', KEYS[1], record, 'PX', RECORD_MS)
    end
    -- Said once in a window: the slice in which it was said last is kept beside the window.
    for _, say in ipairs(nears or {}) do
        local n, key, name, its = unpack(say)
        local said = call('HGET', key, name)
        if not said or its - said > 60 or said - its > 60 then
            call('HSET', key, name, its)
            local at_flags = n * 19
            answer = sub(answer, 1, at_flags - 1) .. char(byte(answer, at_flags) + NEAR) .. sub(answer, at_flags + 1)
        end
    end
end

-- Most messages ask for notes, most of which are not there: that needs nothing of notes.lua.
local READ = 0
local told, items, read = '', notes, 0
while read < note_count do
    local action, parts, _, _, behind = open('<BBI6I2', plan, items)
    if action ~= READ or parts > 0 or #call('HGETALL', KEYS[#KEYS - note_count + read + 1]) > 0 then
        break
    end
    told, items, read = told .. '\0\0\0\0', behind, read + 1
end
if read == note_count then
    return pack('<BBI6', refused and 1 or 0, (known or void) and 1 or 0, now) .. answer .. told
end
