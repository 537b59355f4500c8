-- SPDX-License-Identifier: BSD-2-Clause
--
-- How many different ones there were in a sliding window: a HyperLogLog whose registers remember when.
--
-- sketch.h says what the octets are; sketch.c reckons as is done here.

local sketch_open, sketch_estimate, sketch_frees, sketch_pack

-- They are made only when a limit counts so.
local function make_sketches()
    local REGISTERS, RANKS, SLICES = 2048, 32, 60
    local SMALL = REGISTERS * 2.5
    local ALPHA = 0.7213 / (1 + 1.079 / REGISTERS)

    -- A value that is neither newer nor larger than another says nothing any more.
    local function add(registers, code, slice)
        local rank = code % RANKS
        local register = (code - rank) / RANKS
        local values, kept = registers[register], {}
        for i = 1, values and #values or 0, 2 do
            if values[i] >= rank and values[i + 1] >= slice then
                return
            elseif values[i] > rank or values[i + 1] > slice then
                kept[#kept + 1], kept[#kept + 2] = values[i], values[i + 1]
            end
        end
        kept[#kept + 1] = rank
        kept[#kept + 1] = slice
        registers[register] = kept
    end

    -- Its registers and its newest slice, with members (codes of 2 octets) added in the slice to.
    sketch_open = function(bytes, current, members, to)
        local registers, newest = {}, current
        if bytes and #bytes >= 5 then
            local written = struct.unpack('<I5', bytes)
            local was_wrong = written - current > SLICES
            if written > current and not was_wrong then
                newest = written
            end
            for at = 6, #bytes - 2, 3 do
                local code, age = struct.unpack('<I2B', bytes, at)
                local slice = was_wrong and current or written - age
                if slice >= newest - SLICES and code % RANKS > 0 then
                    add(registers, code, slice)
                end
            end
        end
        if to > newest then
            to = newest
        end
        if to >= newest - SLICES then
            for at = 1, #members - 1, 2 do
                local low, high = string.byte(members, at, at + 1)
                add(registers, low + high * 256, to)
            end
        end
        return registers, newest
    end

    sketch_estimate = function(registers, oldest)
        local sum, used = 0, 0
        for _, values in pairs(registers) do
            local best = 0
            for i = 1, #values, 2 do
                if values[i + 1] >= oldest and values[i] > best then
                    best = values[i]
                end
            end
            if best > 0 then
                used, sum = used + 1, sum + 2 ^ -best
            end
        end
        local estimate = ALPHA * REGISTERS * REGISTERS / (sum + REGISTERS - used)
        if estimate <= SMALL and used < REGISTERS then
            estimate = REGISTERS * math.log(REGISTERS / (REGISTERS - used))
        end
        return math.floor(estimate + 0.5)
    end

    -- The slice after whose end there are at most max.
    sketch_frees = function(registers, newest, max)
        local slice = newest - SLICES
        while slice < newest and sketch_estimate(registers, slice + 1) > max do
            slice = slice + 1
        end
        return slice
    end

    sketch_pack = function(registers, newest)
        local parts = {struct.pack('<I5', newest)}
        for register, values in pairs(registers) do
            for i = 1, #values, 2 do
                parts[#parts + 1] = struct.pack('<I2B', register * RANKS + values[i], newest - values[i + 1])
            end
        end
        return table.concat(parts)
    end
end

