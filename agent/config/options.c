/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/options.h"

#include "config/entries.h"

/* Of a wrong value no more than this is said. */
#define SAID_MAX 200

const struct option_entry *options_all(size_t *count)
{
	*count = entries_count;
	return entries;
}

const struct option_entry *options_find_flag(struct span flag)
{
	for (size_t i = 0; i < entries_count; i++) {
		if (entries[i].flag && span_equal(span_of(entries[i].flag), flag))
			return &entries[i];
	}
	return NULL;
}

const struct option_entry *options_find_key(const char *section, const char *key)
{
	for (size_t i = 0; i < entries_count; i++) {
		if (entries[i].section && strcmp(entries[i].section, section) == 0 &&
		    strcmp(entries[i].key, key) == 0)
			return &entries[i];
	}
	return NULL;
}

int options_apply(void *target, const struct option_entry *entry, struct span text,
		  struct text *mistake)
{
	struct option_value value = { .entry = entry, .text = text, .mistake = mistake };
	int error = entry->apply(target, &value);

	if (error && mistake->used == 0)
		text_format(mistake, "expected %s, not \"%.*s\"", entry->expected,
			    text.length < SAID_MAX ? (int)text.length : SAID_MAX, text.at);
	if (!error && entry->given > 0)
		*(bool *)((char *)target + entry->given) = true;
	return error;
}

static void write_flag(FILE *out, const struct option_entry *entry)
{
	char left[40];

	snprintf(left, sizeof(left), "--%s%s%s", entry->flag, entry->value ? " " : "",
		 entry->value ? entry->value : "");
	fprintf(out, "  %-28s  %s", left, entry->help);
	if (entry->fallback)
		fprintf(out, " (%s)", entry->fallback);
	fputc('\n', out);
}

static void write_network_key(FILE *out, const struct option_entry *entry)
{
	char left[40];

	snprintf(left, sizeof(left), "%s=%s", entry->key, entry->value);
	fprintf(out, "  %-28s  %s\n", left, entry->help);
}

void options_write_help(FILE *out)
{
	fputs("sippathd keeps the NAT-mapped paths of SIP phones open, from the server's side.\n\n"
	      "usage: sippathd --interface DEV[,DEV...] [OPTION...]\n"
	      "       sippathd attach DEV [OPTION...]    put the programs onto DEV and leave\n"
	      "       sippathd detach DEV [OPTION...]    take them off DEV and leave\n"
	      "       sippathd call-control --cluster REDIS-URL --listen PROTO:ADDRESS:PORT\n"
	      "                                          route calls to the proxies of a set\n\n"
	      "options, with their defaults in parentheses:\n",
	      out);
	for (size_t i = 0; i < entries_count; i++)
		if (entries[i].flag)
			write_flag(out, &entries[i]);
	fputs("\nof a network, such as --network 203.0.113.0/24,threshold=40s,nat=auto: what is\n"
	      "not said is as without it; the longest prefix wins; ::/0 is IPv6 alone, and\n"
	      "0.0.0.0/0 IPv4:\n",
	      out);
	for (size_t i = 0; i < entries_count; i++)
		if (!entries[i].flag)
			write_network_key(out, &entries[i]);
	fputs("\nIn the file they stand in the section [" ENTRIES_SECTION
	      "], with _ for -, such as\n"
	      "\"sip_port = 5060,5062\"; max_lifetime in [" ENTRIES_SECTION_DIALOGS
	      "]; cluster, node, node_uri and\n"
	      "move in [" ENTRIES_SECTION_CLUSTER "]; listen, peer, domain, mode and verify in\n"
	      "[" ENTRIES_SECTION_CALLS "]; the keys of a network in a section\n"
	      "[" OPTIONS_NETWORK " 203.0.113.0/24]. A flag beats the file.\n",
	      out);
}
