/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/interest.h"

bool interest_in(enum sip_method method, uint16_t status)
{
	switch (method) {
	case SIP_METHOD_REGISTER:
		return status == 0 || status / 100 == 2;
	case SIP_METHOD_SUBSCRIBE:
		return status == 0 || status / 100 == 2 || status == 481;
	case SIP_METHOD_INVITE:
		return status == 0 || status > 100;
	case SIP_METHOD_UPDATE:
		return status == 0 || status >= 200;
	case SIP_METHOD_NOTIFY:
	case SIP_METHOD_ACK:
	case SIP_METHOD_BYE:
		return status == 0;
	default:
		return false;
	}
}
