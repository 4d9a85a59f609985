-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- beat.lua - a node says that it is there, and learns what the clock of the cluster shows. See
-- notation.h for what is written.
--
-- KEYS  1 sippath:nodes
-- ARGV  1 NAME  2 "1 INCARNATION"  3 "BEGUN WHOLE PATHS LAG serving|draining URI"
--       4 the time in ms for a simulation, or "" for that of this server
--
-- Returns { the time in ms, what was written of the node before or "" }, both as text. A node
-- that finds something else than it has written itself knows that it is not alone, or that
-- Redis has forgotten it.

local nodes, name, head, tail = KEYS[1], ARGV[1], ARGV[2], ARGV[3]

-- A node that has not said anything for so long is not missed any more.
local FORGOTTEN_MS = 7 * 24 * 3600 * 1000

-- All nodes are looked through in one second of so many: each beats once in every second.
local LOOK_EVERY_S = 64

-- If somebody has put something of another type there, it is deleted.
local function read_before()
	local before = redis.pcall("HGET", nodes, name)
	if type(before) == "table" and before.err then
		if before.err:find("^WRONGTYPE") then
			redis.call("DEL", nodes)
		end
		before = redis.call("HGET", nodes, name)
	end
	return before or ""
end

local function time_text()
	if ARGV[4] ~= "" then
		return ARGV[4]
	end
	local time = redis.call("TIME")
	return string.format("%.0f", time[1] * 1000 + math.floor(time[2] / 1000))
end

local function forget_old(now)
	local all = redis.call("HGETALL", nodes)
	for i = 1, #all, 2 do
		local beat = tonumber(all[i + 1]:match("^1 %d+ (%d+) "))
		if beat and beat < now - FORGOTTEN_MS then
			redis.call("HDEL", nodes, all[i])
		end
	end
end

local before = read_before()
local now = time_text()

redis.call("HSET", nodes, name, head .. " " .. now .. " " .. tail)
if math.floor(tonumber(now) / 1000) % LOOK_EVERY_S == 0 then
	forget_old(tonumber(now))
end
return { now, before }
