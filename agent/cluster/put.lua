-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- put.lua - a node reports where a device is. See notation.h for what is written.
--
-- Several nodes may report the same device: which of them has it is decided here, by when its
-- request was accepted, whatever order the reports come in; so they need not agree on anything
-- among themselves. The node that has lost it is told by an order.
--
-- KEYS  1 sippath:aor:AOR  2 sippath:changes  3 sippath:sequence
-- ARGV  1 AOR  2 KIND  3 NODE  4 DEVICE  5 the value  6 ACCEPTED  7 ENDS
--       8 the time by the clock of the cluster, in ms  9 FLOW
--       10 "stop" if a registration ends once its device registers elsewhere, else "keep"
--
-- Returns { "kept", garbage } or { "stale", the node that has it, its ACCEPTED, garbage }; garbage
-- says how much was found, and removed. All of it is text.

local location, changes, sequence = KEYS[1], KEYS[2], KEYS[3]
local aor, kind, node, device, value = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local accepted, now, flow = tonumber(ARGV[6]), tonumber(ARGV[8]), ARGV[9]
local move = ARGV[10]

-- No device's AOR has as many fields: of one that does, so many are looked at, at random, each
-- time. So a report costs no more, and what has ended goes in the course of several.
local FIELDS_MAX = 1024

-- No value is longer; what is costs no time.
local VALUE_MAX = 512

-- A request accepted so much later than now was stamped by a clock that has been stepped.
local AHEAD_MAX_MS = 5000

local CHANGES_MAX, ORDERS_MAX, ORDERS_LIFETIME_S = 65536, 10000, 3600

-- Beyond it a double is not exact.
local NUMBER_MAX = 2 ^ 53 - 1

local garbage = 0

local function discard(key)
	redis.call("DEL", key)
	garbage = garbage + 1
end

-- Runs a command on a key. If what somebody has put there is of another type, or no number, it
-- is deleted, and the command begins anew; any other failure is that of whoever runs the script.
local function run(command, key, ...)
	local answer = redis.pcall(command, key, ...)
	local failure = type(answer) == "table" and answer.err
	if not failure then
		return answer
	end
	if failure:find("^WRONGTYPE") or failure:find("not an integer") or
	   failure:find("would overflow") then
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

local function is_same_device(other)
	return other.node ~= node and other.kind == kind and other.device == device
end

-- Two nodes that claim one path are one too many, whatever is on it: both would prompt it.
local function conflicts(other)
	return kind == "r" and move == "stop" or other.flow == flow
end

local function is_newer(one, than)
	if one.accepted ~= than.accepted then
		return one.accepted > than.accepted
	end
	return one.node > than.node
end

-- What others have written about the device, and is in conflict with this report. Garbage, and
-- what has ended, goes on the way.
local function find_rivals()
	local own = kind .. " " .. node .. " " .. device
	local found = run("HRANDFIELD", location, FIELDS_MAX, "WITHVALUES")
	local rivals = {}
	for i = 1, #found, 2 do
		local other = read_field(found[i])
		if not other then
			redis.call("HDEL", location, found[i])
			garbage = garbage + 1
		elseif found[i] ~= own then
			if not read_value(found[i + 1], other) or
			   is_same_device(other) and other.accepted > now + AHEAD_MAX_MS then
				remove(other.field)
				garbage = garbage + 1
			elseif other.ends <= now then
				remove(other.field)
			elseif is_same_device(other) and conflicts(other) then
				rivals[#rivals + 1] = other
			end
		end
	end
	return own, rivals
end

local function order_to_leave(other)
	local orders = "sippath:orders:" .. other.node
	run("XADD", orders, "MAXLEN", "~", ORDERS_MAX, "*", "o",
	    table.concat({ "1 leave", ARGV[8], ARGV[6], node, #aor, aor, device }, " "))
	redis.call("EXPIRE", orders, ORDERS_LIFETIME_S)
end

local own, rivals = find_rivals()
local newest = { accepted = accepted, node = node }

for _, other in ipairs(rivals) do
	if is_newer(other, newest) then
		newest = other
	end
end

if newest.node ~= node then
	remove(own)
	return { "stale", newest.node, string.format("%.0f", newest.accepted), tostring(garbage) }
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
