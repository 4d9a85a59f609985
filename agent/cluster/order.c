/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/order.h"

#define ORDER_NAME_(name, text) [ORDER_##name] = #name,

static const char *const names[] = { ORDERS(ORDER_NAME_) };

#undef ORDER_NAME_

const char *order_name(enum order_kind kind)
{
	return names[kind];
}

enum order_kind order_find(struct span name)
{
	enum order_kind kind = 0;

	while (kind < ORDER_MAX && !span_equal(name, span_of(names[kind])))
		kind++;
	return kind;
}
