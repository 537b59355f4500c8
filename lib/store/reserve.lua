-- SPDX-License-Identifier: BSD-2-Clause
--
-- One subject of a message in a cluster: what charge.lua does, on one key.
--
-- charge.lua stands before this as a function.  A cluster moves its keys one by one, and while it does a script
-- that needs two of them can find them on two nodes and is told to try again.  So all that a subject has is one key:
-- a message's record is a field of the subject's hash ("=host/queue-id"), with the time when it ends before it,
-- since fields do not expire; those that are over are swept out some at a time.
--
-- A message is counted once all the same: each of its subjects knows by itself whether it was charged for it.
--
-- A message with several subjects is charged in each one's slot, which cannot be one step.  First each is charged
-- with a reservation: the charge counts from then on, and the field "open" says how to give it back.  When all have
-- taken it they are told to keep it; when one refuses, the others give it back; and if the daemon died in between,
-- it is given back by whoever asks about that subject when the reservation is over.  A message that was known before
-- and got more recipients is charged without reservation: that may count them too often, never too seldom.
--
-- KEYS  the subject's hash
-- ARGV  those of charge.lua; then how to give back what is reserved (a plan), or the marks of near to forget;
--       the message's name; and the mode, 1 octet

local PLAIN, RESERVE, KEEP, DROP = 0, 1, 2, 3
local LOOK = 0
local RECORD = 'record' -- stands for the record where charge.lua needs a key
local RESERVED_MS = 5000
local RESERVATIONS_MAX = 4 -- of one message
local SWEEP_EVERY, SWEEP_FIELDS = 8, '50'

local size = #ARGV
local extra, message, mode = ARGV[size - 2], ARGV[size - 1], string.byte(ARGV[size])
local arguments = {unpack(ARGV, 1, size - 3)}
local plan = arguments[size - 3]
local operation = string.byte(plan) % 128

-- No subject: a probe, or a note.  KEEP is said of the marks of a message that was known before: then there is a
-- record, which begins with the message's fingerprint.
if string.byte(plan, 2) == 0 then
    if mode ~= KEEP then
        return charge(KEYS, arguments, redis)
    end
    local function call(...)
        local _, key = ...
        if key == RECORD then
            return string.sub(plan, 9, 16)
        end
        return redis.call(...)
    end
    return charge({RECORD, KEYS[1]}, arguments, setmetatable({call = call}, {__index = redis}))
end

if not redis.REDIS_VERSION_NUM then
    redis.replicate_commands()
end

local use = KEYS[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local name -- of the message whose record is meant

local function sweep()
    local found = redis.call('HSCAN', use, redis.call('HGET', use, 'scan') or '0', 'MATCH', '=*',
        'COUNT', SWEEP_FIELDS)
    for i = 1, #found[2], 2 do
        if struct.unpack('<I6', found[2][i + 1]) <= now then
            redis.call('HDEL', use, found[2][i])
        end
    end
    redis.call('HSET', use, 'scan', found[1])
end

local function call(...)
    local command, key, value, _, life = ...
    if key ~= RECORD then
        return redis.call(...)
    end
    local field = '=' .. name
    if command == 'GET' then
        local kept = redis.call('HGET', use, field)
        return kept and struct.unpack('<I6', kept) > now and string.sub(kept, 7)
    end
    redis.call('HSET', use, field, struct.pack('<I6', now + life) .. value)
    if redis.call('PTTL', use) < tonumber(life) then
        redis.call('PEXPIRE', use, life)
    end
    if now % SWEEP_EVERY == 0 then
        sweep()
    end
end

local ours = setmetatable({call = call}, {__index = redis})

local function run(of, its)
    name = of
    return charge(of ~= '' and {RECORD, use} or {use}, its, ours)
end

local kept = redis.call('HGET', use, 'open')
local open, changed = kept and cmsgpack.unpack(kept) or {}, false
for of, reservation in pairs(open) do
    if reservation[1] <= now then
        for i = 2, #reservation do
            run(of, reservation[i])
        end
        open[of], changed = nil, true
    end
end

local answer = run(message, arguments)
local refused, known = string.byte(answer, 1, 2)
local mine = open[message]

if mode == RESERVE and refused == 0 and message ~= '' and (mine or known == 0) then
    mine = mine or {}
    mine[1] = now + RESERVED_MS
    if #mine <= RESERVATIONS_MAX then
        local back = {unpack(arguments, 1, size - 4)}
        back[size - 3] = extra
        mine[#mine + 1] = back
    end
    open[message], changed = mine, true
elseif mode ~= RESERVE and mine and operation ~= LOOK and refused == 0 then
    open[message], changed = nil, true
end
if mode == DROP then
    for mark in string.gmatch(extra, '[^\n]+') do
        redis.call('HDEL', use, mark)
    end
end
if changed then
    if next(open) then
        redis.call('HSET', use, 'open', cmsgpack.pack(open))
    else
        redis.call('HDEL', use, 'open')
    end
end
return answer
