/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/via.h"

#include <errno.h>

#include "base/address.h"
#include "base/number.h"
#include "sip/values.h"

int via_read(struct span value, struct message_via *via)
{
	struct message_via read = { .value = value };
	struct via_value parts;

	if (value_read_via(value, &parts) ||
	    value_find_parameter(parts.parameters, SPAN("branch"), &read.branch) ||
	    value_find_parameter(parts.parameters, SPAN("received"), &read.received) ||
	    value_find_parameter(parts.parameters, SPAN("rport"), &read.rport))
		return -EBADMSG;
	if (read.branch.length == 0)
		read.branch = (struct span){ NULL, 0 };
	read.transport = parts.transport;
	read.host = parts.host;
	read.port = parts.port;
	read.parameters = parts.parameters;
	*via = read;
	return 0;
}

static bool is_stamp(struct span name)
{
	return span_equal_nocase(name, SPAN("received")) || span_equal_nocase(name, SPAN("rport"));
}

static bool is_sent_from_host(const struct message_via *via, const struct flow *flow)
{
	uint8_t host[16];

	return address_read(via->host, host) == 0 &&
	       memcmp(host, flow->remote_addr, sizeof(host)) == 0;
}

void via_write_stamped(const struct message_via *via, const struct flow *flow, struct text *out)
{
	struct span parameters = via->parameters;
	struct span start = { via->value.at, (size_t)(parameters.at - via->value.at) };
	struct parameter_value parameter;

	message_write_lines(span_trim(start), out);
	while (value_next_parameter(&parameters, &parameter) > 0) {
		if (parameter.whole.length == 0 || is_stamp(parameter.name))
			continue;
		text_add(out, SPAN(";"));
		message_write_lines(parameter.whole, out);
	}
	if (via->rport.at || !is_sent_from_host(via, flow)) {
		text_add(out, SPAN(";received="));
		address_write(out, flow->remote_addr);
	}
	if (via->rport.at)
		text_format(out, ";rport=%u", flow->remote_port);
}

void via_write_line(const struct message *message, const struct message_line *line,
		    const struct flow *flow, struct text *out)
{
	struct span value = message->via.value;
	struct span rest = { value.at + value.length, 0 };

	if (line->value.at != value.at) {
		message_write_lines(line->whole, out);
		return;
	}
	text_add(out, SPAN("Via: "));
	via_write_stamped(&message->via, flow, out);
	rest.length = line->whole.length - (size_t)(rest.at - line->whole.at);
	message_write_lines(rest, out);
}

uint16_t via_answer_port(const struct message_via *via, const struct flow *flow)
{
	if (via->rport.at)
		return flow->remote_port;
	return via->port ? via->port : VIA_PORT_DEFAULT;
}

static struct span without_brackets(struct span host)
{
	if (host.length < 2 || host.at[0] != '[' || host.at[host.length - 1] != ']')
		return host;
	return (struct span){ host.at + 1, host.length - 2 };
}

int via_target(const struct message_via *via, uint8_t address[16], uint16_t *port)
{
	struct span host = via->received.length > 0 ? via->received : via->host;
	uint64_t number = via->port ? via->port : VIA_PORT_DEFAULT;

	if (via->rport.length > 0 && number_read(via->rport, 1, UINT16_MAX, &number))
		return -EINVAL;
	if (address_read(without_brackets(host), address))
		return -EINVAL;
	*port = (uint16_t)number;
	return 0;
}
