-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- drop.lua - a node reports that a device is gone. See notation.h for what is written.
--
-- KEYS  1 sippath:aor:AOR  2 sippath:changes  3 sippath:sequence
-- ARGV  1 AOR  2 the field of the location
--
-- Returns 1 if it was there, else 0.

local location, changes, sequence = KEYS[1], KEYS[2], KEYS[3]
local aor, field = ARGV[1], ARGV[2]

local CHANGES_MAX = 65536

-- Beyond it a double is not exact.
local NUMBER_MAX = 2 ^ 53 - 1

-- A stream whose last ID is the last one there can be: nothing could ever be added again.
local EXHAUSTED = "exhausted the last possible ID"

local function is_unusable(failure)
	return failure:find("^WRONGTYPE") or failure:find("not an integer") or
	       failure:find("would overflow") or failure:find(EXHAUSTED, 1, true)
end

-- Runs a command on a key. If what somebody has put there is of another type, no number, or
-- exhausted, it is deleted, and the command begins anew; any other failure is that of whoever
-- runs the script.
local function run(command, key, ...)
	local answer = redis.pcall(command, key, ...)
	local failure = type(answer) == "table" and answer.err
	if not failure then
		return answer
	end
	if is_unusable(failure) then
		redis.call("DEL", key)
	end
	return redis.call(command, key, ...)
end

local function next_number()
	local number = run("INCR", sequence)
	if number < 1 or number > NUMBER_MAX then
		redis.call("DEL", sequence)
		number = redis.call("INCR", sequence)
	end
	return string.format("%.0f", number)
end

if run("HDEL", location, field) == 0 then
	return 0
end
run("XADD", changes, "MAXLEN", "~", CHANGES_MAX, "*",
    "n", next_number(), "a", aor, "f", field, "v", "")
return 1
