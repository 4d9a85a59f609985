/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "days_call.h"

struct message call_initial(const struct call *call, const struct fork *fork, const char *method,
			    unsigned int status)
{
	return (struct message){
		.status = status,
		.method = method,
		.cseq = 1,
		.call_id = call->call_id,
		.branch = call->branch,
		.from = call->caller->name,
		.from_tag = "a",
		.to = call->forks[0].phone->name,
		.to_tag = status > 0 && fork ? fork->tag : NULL,
		.contact = status > 0 && fork ? fork->phone->name : call->caller->name,
		.contact_expires = -1,
	};
}

void call_answer_server(struct days *days, const struct call *call, const struct fork *fork,
			unsigned int status, const char *extra)
{
	struct message response = call_initial(call, fork, "INVITE", status);

	response.branch = call->branch + 1 + (uint32_t)(fork - call->forks);
	response.relayed = true;
	response.extra = extra;
	days_see(days, fork->rung, true, &response);
}

void call_answer_caller(struct days *days, const struct call *call, const struct fork *fork,
			unsigned int status, const char *extra)
{
	struct message response = call_initial(call, fork, "INVITE", status);

	response.extra = extra;
	days_see(days, call->called_from, false, &response);
	if (status != 200 && call->called_from->alive)
		days_speak(days, call->called_from); /* its PRACK, or its ACK to a refusal */
}

bool call_acknowledge(struct days *days, const struct call *call, const struct fork *fork)
{
	struct message ack = call_initial(call, NULL, "ACK", 0);

	if (days_chance(days, 5))
		return false;
	ack.branch = ++days->branch;
	ack.to_tag = fork->tag;
	days_see(days, call->called_from, true, &ack);
	return true;
}

void call_relay(struct days *days, const struct call *call, const struct fork *fork,
		const char *method)
{
	struct message request = call_initial(call, NULL, method, 0);

	request.branch = call->branch + 1 + (uint32_t)(fork - call->forks);
	request.relayed = true;
	days_see(days, fork->rung, false, &request);
}

void call_parties(struct call *call, bool by_caller, struct party *one, struct party *other)
{
	struct fork *fork = &call->forks[0];
	struct party caller = { call->caller, "a", &fork->caller_leg };
	struct party callee = { fork->phone, fork->tag, &fork->leg };

	*one = by_caller ? caller : callee;
	*other = by_caller ? callee : caller;
}

struct message call_inside(struct days *days, struct call *call, const struct party *one,
			   const struct party *other, const char *method)
{
	return (struct message){
		.method = method,
		.cseq = ++call->cseq,
		.call_id = call->call_id,
		.branch = ++days->branch,
		.from = one->phone->name,
		.from_tag = one->tag,
		.to = other->phone->name,
		.to_tag = other->tag,
		.contact = one->phone->name,
		.contact_expires = -1,
	};
}
