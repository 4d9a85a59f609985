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
-- Redis has forgotten it. Of the others, what is no node is removed now and then, and so is who
-- is long gone.

local nodes, name, head, tail = KEYS[1], ARGV[1], ARGV[2], ARGV[3]

-- A node that has not said anything for so long is not missed any more; nor is one that has said
-- it so far in the future.
local FORGOTTEN_MS = 7 * 24 * 3600 * 1000

-- All nodes are looked through in one second of so many: each beats once in every second.
local LOOK_EVERY_S = 64

-- What a node may be, in bytes and in numbers as they are written; see node.h.
local NAME_MAX, URI_MAX, NODE_MAX = 63, 255, 512
local SMALL, EXACT, LARGEST = "4294967295", "9007199254740991", "18446744073709551615"

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

local function is_number(text, highest)
	return text == "0" or text:find("^[1-9]%d*$") and
	       (#text < #highest or #text == #highest and text <= highest)
end

local function is_name(text)
	return #text <= NAME_MAX and text:find("^[%w._-]+$")
end

-- The URI is of what may stand between "<" and ">" in a header of SIP.
local function is_uri(text)
	return #text <= URI_MAX and text:find("^[!#-;=?-~]+$")
end

-- When the node has said that it is there; nil for what is no node, as notation_read_node() has it.
local function read_beat(its_name, text)
	if #text > NODE_MAX or not is_name(its_name) then
		return nil
	end
	local incarnation, beat, begun, whole, paths, lag, state, uri =
		text:match("^1 (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%l+) (.+)$")
	if incarnation and is_number(incarnation, LARGEST) and is_number(beat, EXACT) and
	   is_number(begun, EXACT) and is_number(whole, begun) and is_number(paths, SMALL) and
	   is_number(lag, SMALL) and (state == "serving" or state == "draining") and
	   is_uri(uri) then
		return tonumber(beat)
	end
end

local function forget_others(now)
	local all = redis.call("HGETALL", nodes)
	for i = 1, #all, 2 do
		if all[i] ~= name then
			local beat = read_beat(all[i], all[i + 1])
			if not beat or math.abs(now - beat) > FORGOTTEN_MS then
				redis.call("HDEL", nodes, all[i])
			end
		end
	end
end

local before = read_before()
local now = time_text()

redis.call("HSET", nodes, name, head .. " " .. now .. " " .. tail)
if math.floor(tonumber(now) / 1000) % LOOK_EVERY_S == 0 then
	forget_others(tonumber(now))
end
return { now, before }
