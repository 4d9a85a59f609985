-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- put.lua - a node reports where a device is. See notation.h for what is written.
--
-- Several nodes may report the same registration: which of them has it is decided here, by when
-- it was accepted, whatever order the reports come in; so they need not agree on anything among
-- themselves. The node that has lost it is told by an order. Nothing else is rival to anything: a
-- dialog or a subscription stays where it was begun until it ends.
--
-- KEYS  1 sippath:aor:AOR  2 sippath:changes  3 sippath:sequence; besides them, sippath:nodes is
--       read, and sippath:orders:NODE of those who are told is written
-- ARGV  1 AOR  2 KIND  3 NODE  4 DEVICE  5 the value  6 ACCEPTED  7 ENDS
--       8 the time in ms, or "" for that of this server: a report may have waited long on its way
--       9 FLOW
--       10 "stop" if a registration ends once its device registers elsewhere, else "keep"
--
-- Returns { "kept", garbage } or { "stale", the node that has it, its ACCEPTED, garbage }; garbage
-- says how much was found, and removed. All of it is text.

local location, changes, sequence = KEYS[1], KEYS[2], KEYS[3]
local aor, kind, node, device, value = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local accepted, flow, move = tonumber(ARGV[6]), ARGV[9], ARGV[10]

local function read_time()
	local time = redis.call("TIME")
	return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local now = ARGV[8] == "" and read_time() or tonumber(ARGV[8])

local NODES = "sippath:nodes"

-- Up to so many fields of an AOR are read to find rivals. Of more, as the AOR of a trunk has them,
-- only the one field of each node that can be a rival is: a report costs no more for the others.
local FIELDS_MAX = 32

-- So many fields are looked at each time, at random, for garbage and for what has ended: all of
-- that goes in the course of several reports.
local SAMPLE = "8"

-- So many fields are asked for in one command: the stack of Lua has room for 8000.
local ASKED_MAX = 1000

-- No value is longer; what is costs no time.
local VALUE_MAX = 512

-- A request accepted so much later than now was stamped by a clock that has been stepped.
local AHEAD_MAX_MS = 1000

-- A time that was converted twice is as exact as this.
local EXACT_MS = 50

local CHANGES_MAX, ORDERS_MAX, ORDERS_LIFETIME_S = 65536, 10000, 3600

-- Beyond it a double is not exact.
local NUMBER_MAX = 2 ^ 53 - 1

local garbage = 0

local function discard(key)
	redis.call("DEL", key)
	garbage = garbage + 1
end

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
		discard(key)
	end
	return redis.call(command, key, ...)
end

local function next_number()
	local number = run("INCR", sequence)
	if number < 1 or number > NUMBER_MAX then
		discard(sequence)
		number = redis.call("INCR", sequence)
	end
	return string.format("%.0f", number)
end

local function tell(field, what)
	run("XADD", changes, "MAXLEN", "~", CHANGES_MAX, "*",
	    "n", next_number(), "a", aor, "f", field, "v", what)
end

local function remove(field)
	if run("HDEL", location, field) == 1 then
		tell(field, "")
	end
end

local function read_number(text)
	if text == "0" or text:find("^[1-9]%d*$") and #text <= 16 and tonumber(text) <= NUMBER_MAX then
		return tonumber(text)
	end
end

local function is_epoch(text)
	return text == "0" or text:find("^[1-9]%d*$") and
	       (#text < 20 or #text == 20 and text <= "18446744073709551615")
end

local KINDS = { r = true, s = true, d = true, l = true }
local HEALTHS = { live = true, awaiting = true, silent = true }

local function read_field(field)
	local its_kind, its_node, its_device = field:match("^(%l) ([%w._-]+) (.+)$")
	if its_kind and KINDS[its_kind] and #its_node <= 63 and #its_device <= 1024 then
		return { field = field, kind = its_kind, node = its_node, device = its_device }
	end
end

-- The flow is looked at for its shape only: it is compared with another one as it is written.
local function read_value(text, to)
	if #text > VALUE_MAX then
		return false
	end
	local epoch, its_accepted, its_ends, heard, health, its_flow =
		text:match("^1 (%d+) (%d+) (%d+) (%d+) (%l+) ([a-z]+ %S+:%d+ %S+:%d+)$")
	if not epoch or not is_epoch(epoch) or not read_number(heard) or not HEALTHS[health] then
		return false
	end
	to.accepted, to.ends, to.flow = read_number(its_accepted), read_number(its_ends), its_flow
	return to.accepted and to.ends
end

-- Two nodes that claim one path are one too many, even if both registrations may be kept: both
-- would prompt it.
local function conflicts(other)
	return move == "stop" or other.flow == flow
end

-- Two nodes have accepted at the same time: one of them has to be chosen, by both in the same way.
local function is_newer(one, than)
	if one.accepted ~= than.accepted then
		return one.accepted > than.accepted
	end
	return one.node > than.node
end

-- The very registration of this report under another node's name: the node was renamed, or its
-- address has moved to another host with what was known of it. Whoever reports it has it.
local function is_this_one(other)
	return other.flow == flow and math.abs(other.accepted - accepted) <= EXACT_MS
end

local own = kind .. " " .. node .. " " .. device
local of_device = " " .. device
local rivals = {}

-- True of every rival's field, and of hardly any other: most are dismissed without a pattern.
local function may_be_rival(field)
	return field:sub(1, 2) == "r " and field:sub(-#of_device) == of_device and field ~= own
end

local function meet(field, text)
	local other = read_field(field)
	if not other or other.device ~= device then
		return
	end
	if not read_value(text, other) or other.accepted > now + AHEAD_MAX_MS then
		remove(field)
		garbage = garbage + 1
	elseif other.ends <= now then
		remove(field)
	elseif conflicts(other) then
		rivals[#rivals + 1] = other
	end
end

local function meet_among_all()
	local all = run("HGETALL", location)
	for i = 1, #all, 2 do
		if may_be_rival(all[i]) then
			meet(all[i], all[i + 1])
		end
	end
end

local function meet_of(names, first, last)
	local fields = {}
	for i = first, last do
		fields[#fields + 1] = "r " .. names[i] .. of_device
	end
	local values = redis.call("HMGET", location, unpack(fields))
	for i, field in ipairs(fields) do
		if values[i] and field ~= own then
			meet(field, values[i])
		end
	end
end

local function meet_of_every_node()
	local names = run("HKEYS", NODES)
	for first = 1, #names, ASKED_MAX do
		meet_of(names, first, math.min(first + ASKED_MAX - 1, #names))
	end
end

local function find_rivals()
	if run("HLEN", location) <= FIELDS_MAX then
		meet_among_all()
	else
		meet_of_every_node()
	end
end

local function sweep_field(field, text)
	local other = read_field(field)
	if not other then
		redis.call("HDEL", location, field)
		garbage = garbage + 1
	elseif not read_value(text, other) then
		remove(field)
		garbage = garbage + 1
	elseif other.ends <= now then
		remove(field)
	end
end

local function sweep()
	local found = run("HRANDFIELD", location, SAMPLE, "WITHVALUES")
	for i = 1, #found, 2 do
		if found[i] ~= own then
			sweep_field(found[i], found[i + 1])
		end
	end
end

-- The node ends what it has now only if that is what lost: it may have accepted something newer
-- meanwhile, whose own report decides.
local function order_to_leave(other)
	local orders = "sippath:orders:" .. other.node
	local lost = string.format("%.0f", other.accepted)
	run("XADD", orders, "MAXLEN", "~", ORDERS_MAX, "*", "o",
	    table.concat({ "1 leave", string.format("%.0f", now), lost, node, #aor, aor, device }, " "))
	redis.call("EXPIRE", orders, ORDERS_LIFETIME_S)
end

-- The one that has the device instead of this report's node; nil if there is none.
local function find_winner()
	local own_report = { accepted = accepted, node = node }
	local newest = own_report
	for _, other in ipairs(rivals) do
		if not is_this_one(other) and is_newer(other, newest) then
			newest = other
		end
	end
	return newest ~= own_report and newest or nil
end

if kind == "r" then
	find_rivals()
end
sweep()

local winner = find_winner()
if winner then
	remove(own)
	return { "stale", winner.node, string.format("%.0f", winner.accepted), tostring(garbage) }
end

for _, other in ipairs(rivals) do
	remove(other.field)
	order_to_leave(other)
end

run("HSET", location, own, value)
tell(own, value)
-- The key lives as long as its last field: never shorter because of a report that ends sooner.
redis.call("PEXPIREAT", location, ARGV[7], "NX")
redis.call("PEXPIREAT", location, ARGV[7], "GT")
return { "kept", tostring(garbage) }
