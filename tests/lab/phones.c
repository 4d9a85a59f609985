/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * phones - SIP phones by the thousand, which do as they are told and say what happens to them.
 *
 *     phones [-i] [-n COUNT] USER IP:PORT
 *
 * Each phone has a UDP port of its own, counted up from PORT. A single one is USER, of several the
 * first is USER0. With -i each has a +sip.instance, which is made of its number alone. They answer
 * OPTIONS, INVITE, BYE and whatever else with 200. Commands come in on standard input:
 *
 *     register FIRST LAST PROXY[,PROXY...] EXPIRES [REG-ID]   phone I at the I-th proxy, in turn
 *     call NUMBER NEXT-HOP CALLEE [MILLISECONDS]              after so long; a 302 is followed
 *
 * On standard output there is a line for each event, "SECONDS USER EVENT ADDRESS [STATUS]":
 * registered, invited, answered, redirected, hung-up, refused. ADDRESS is who sent the message.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "phones_message.h"

#define COUNT_MAX 10000
#define PROXIES_MAX 8
#define SPACING_MS 2 /* between the REGISTERs of two phones */
#define RETRANSMIT_MS 500 /* T1, RFC 3261 section 17.1.1.1 */
#define TRIES_MAX 8
#define TICK_MS 20

/* A request of ours that waits to be sent, or for its final answer. */
struct request {
	char text[MESSAGE_MAX];
	struct sockaddr_in to;
	int64_t due_ms; /* of the next sending; 0: it has been answered */
	unsigned int tries;
	unsigned int cseq;
};

struct phone {
	struct identity who;
	int fd;
	unsigned int cseq; /* of the latest request */
	unsigned int calls;
	char callee[WORD_MAX]; /* the user who is being called */
	struct request registering;
	struct request calling;
};

static struct phone *phones;
static unsigned int phone_count = 1;

static int die(const char *what)
{
	fprintf(stderr, "phones: %s\n", what);
	return 2;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* The wall clock, as a capture has it. */
static void say(const struct phone *phone, const char *event, const struct sockaddr_in *peer,
		int status)
{
	char address[INET_ADDRSTRLEN];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	inet_ntop(AF_INET, &peer->sin_addr, address, sizeof(address));
	printf("%lld.%06ld %s %s %s", (long long)now.tv_sec, now.tv_nsec / 1000, phone->who.user,
	       event, address);
	if (status)
		printf(" %d", status);
	putchar('\n');
	fflush(stdout);
}

static void send_text(const struct phone *phone, const char *text, const struct sockaddr_in *to)
{
	const struct sockaddr *address = (const struct sockaddr *)to;

	/* What is lost is sent again. */
	if (sendto(phone->fd, text, strlen(text), MSG_DONTWAIT, address, sizeof(*to)) < 0)
		fprintf(stderr, "phones: %s: %s\n", phone->who.user, strerror(errno));
}

static void send_later(struct request *request, const struct sockaddr_in *to, int64_t delay_ms)
{
	request->to = *to;
	request->tries = 0;
	request->due_ms = now_ms() + delay_ms;
}

static void invite(struct phone *phone, const struct sockaddr_in *next_hop, const char *uri,
		   int64_t delay_ms)
{
	phone->calling.cseq = ++phone->cseq;
	message_write_invite(phone->calling.text, &phone->who, phone->calls, phone->cseq, uri,
			     phone->callee);
	send_later(&phone->calling, next_hop, delay_ms);
}

static void acknowledge(const struct phone *phone, const char *answer)
{
	struct sockaddr_in to = phone->calling.to;
	char text[MESSAGE_MAX];

	if (message_write_ack(text, phone->calling.text, answer, &to))
		send_text(phone, text, &to);
}

static void follow(struct phone *phone, const char *answer)
{
	struct sockaddr_in next_hop;
	char uri[HEADER_MAX];

	if (message_read_target(message_contact(answer, uri), &next_hop))
		invite(phone, &next_hop, uri, 0);
}

static void take_final_answer(struct phone *phone, struct request *request, const char *answer,
			      int status, const struct sockaddr_in *from)
{
	bool is_call = request == &phone->calling;
	bool is_repeated = request->due_ms == 0;

	request->due_ms = 0;
	if (is_call)
		acknowledge(phone, answer);
	if (is_repeated)
		return;
	if (status < 300) {
		say(phone, is_call ? "answered" : "registered", from, 0);
	} else if (status == 302 && is_call) {
		say(phone, "redirected", from, 0);
		follow(phone, answer);
	} else {
		say(phone, "refused", from, status);
	}
}

static void take_answer(struct phone *phone, const char *answer, const struct sockaddr_in *from)
{
	struct request *request;
	char value[HEADER_MAX], method[WORD_MAX];
	unsigned int cseq;
	int status;

	if (sscanf(answer, "SIP/2.0 %d", &status) != 1 ||
	    sscanf(message_header(answer, "CSeq", value), "%u %127s", &cseq, method) != 2)
		return;
	request = strcmp(method, "INVITE") == 0 ? &phone->calling : &phone->registering;
	if (request->cseq != cseq)
		return;
	if (status >= 200)
		take_final_answer(phone, request, answer, status, from);
	else if (request->due_ms)
		request->due_ms = INT64_MAX;
}

/* Whoever asks again is answered the same again: nothing is remembered. */
static void take_request(const struct phone *phone, const char *message,
			 const struct sockaddr_in *from)
{
	char text[MESSAGE_MAX];

	if (strncmp(message, "ACK ", 4) == 0)
		return;
	if (strncmp(message, "INVITE ", 7) == 0)
		say(phone, "invited", from, 0);
	else if (strncmp(message, "BYE ", 4) == 0)
		say(phone, "hung-up", from, 0);
	message_write_ok(text, &phone->who, message);
	send_text(phone, text, from);
}

static void take_datagrams(struct phone *phone)
{
	char message[MESSAGE_MAX + 1];
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	ssize_t length;

	while ((length = recvfrom(phone->fd, message, MESSAGE_MAX, MSG_DONTWAIT,
				  (struct sockaddr *)&from, &size)) >= 0) {
		message[length] = '\0';
		if (strncmp(message, "SIP/2.0 ", 8) == 0)
			take_answer(phone, message, &from);
		else
			take_request(phone, message, &from);
	}
}

static void send_if_due(struct phone *phone, struct request *request, int64_t now)
{
	if (request->due_ms == 0 || request->due_ms > now)
		return;
	if (request->tries == TRIES_MAX) {
		request->due_ms = 0;
		say(phone, "refused", &request->to, 408);
		return;
	}
	send_text(phone, request->text, &request->to);
	request->due_ms = now + (RETRANSMIT_MS << (request->tries < 3 ? request->tries : 3));
	request->tries++;
}

static void send_due(void)
{
	int64_t now = now_ms();

	for (unsigned int i = 0; i < phone_count; i++) {
		send_if_due(&phones[i], &phones[i].registering, now);
		send_if_due(&phones[i], &phones[i].calling, now);
	}
}

/* Reads "192.0.2.11,192.0.2.12"; returns how many, 0 if it is something else. */
static unsigned int read_proxies(char *words, struct sockaddr_in proxies[PROXIES_MAX])
{
	unsigned int count = 0;
	char *word;

	while ((word = strsep(&words, ",")))
		if (count == PROXIES_MAX || !message_read_endpoint(word, &proxies[count++]))
			return 0;
	return count;
}

static void register_phone(struct phone *phone, const struct sockaddr_in *proxy,
			   unsigned int expires, unsigned int reg_id, int64_t delay_ms)
{
	phone->registering.cseq = ++phone->cseq;
	message_write_register(phone->registering.text, &phone->who, phone->cseq, expires, reg_id);
	send_later(&phone->registering, proxy, delay_ms);
}

static bool obey_register(const char *line)
{
	unsigned int first, last, expires, reg_id = 0, count;
	struct sockaddr_in proxies[PROXIES_MAX];
	char words[WORD_MAX];

	if (sscanf(line, "register %u %u %127s %u %u", &first, &last, words, &expires, &reg_id) < 4)
		return false;
	count = read_proxies(words, proxies);
	if (count == 0 || last >= phone_count)
		return false;
	for (unsigned int i = first; i <= last; i++)
		register_phone(&phones[i], &proxies[i % count], expires, reg_id,
			       (i - first) * (int64_t)SPACING_MS);
	return true;
}

static bool obey_call(const char *line)
{
	char hop[WORD_MAX], callee[WORD_MAX], uri[HEADER_MAX];
	unsigned int number, delay_ms = 0;
	struct sockaddr_in next_hop;

	if (sscanf(line, "call %u %127s %127s %u", &number, hop, callee, &delay_ms) < 3 ||
	    number >= phone_count || !message_read_endpoint(hop, &next_hop))
		return false;
	strcpy(phones[number].callee, callee);
	phones[number].calls++;
	snprintf(uri, sizeof(uri), "sip:%s@lab.example", callee);
	invite(&phones[number], &next_hop, uri, delay_ms);
	return true;
}

/* False once nobody commands any more. */
static bool take_command(void)
{
	char line[HEADER_MAX];

	if (!fgets(line, sizeof(line), stdin))
		return false;
	if (!obey_register(line) && !obey_call(line))
		fprintf(stderr, "phones: what is this: %s", line);
	return true;
}

static void introduce(struct identity *who, const char *user, unsigned int number,
		      const struct sockaddr_in *own, bool with_instance)
{
	char address[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &own->sin_addr, address, sizeof(address));
	snprintf(who->host, sizeof(who->host), "%s:%u", address, ntohs(own->sin_port));
	if (phone_count == 1)
		snprintf(who->user, sizeof(who->user), "%s", user);
	else
		snprintf(who->user, sizeof(who->user), "%s%u", user, number);
	if (with_instance)
		snprintf(who->instance, sizeof(who->instance),
			 ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-%012x>\"", number);
}

static bool open_phone(struct phone *phone, const struct sockaddr_in *own, int loop)
{
	struct epoll_event readable = { .events = EPOLLIN, .data.ptr = phone };

	phone->fd = socket(AF_INET, SOCK_DGRAM, 0);
	return phone->fd >= 0 && bind(phone->fd, (const struct sockaddr *)own, sizeof(*own)) == 0 &&
	       epoll_ctl(loop, EPOLL_CTL_ADD, phone->fd, &readable) == 0;
}

static int run(int loop)
{
	struct epoll_event readable = { .events = EPOLLIN }, events[64];
	int count;

	if (epoll_ctl(loop, EPOLL_CTL_ADD, STDIN_FILENO, &readable) != 0)
		return die(strerror(errno));
	setvbuf(stdin, NULL, _IONBF, 0);
	for (;;) {
		count = epoll_wait(loop, events, 64, TICK_MS);
		if (count < 0 && errno != EINTR)
			return die(strerror(errno));
		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr)
				take_datagrams(events[i].data.ptr);
			else if (!take_command())
				return 0;
		}
		send_due();
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in own;
	bool with_instance = false;
	int option, loop;

	while ((option = getopt(argc, argv, "in:")) != -1) {
		if (option == 'i')
			with_instance = true;
		else if (option == '?' || sscanf(optarg, "%u", &phone_count) != 1 ||
			 phone_count == 0 || phone_count > COUNT_MAX)
			return die("-n wants a number up to 10000");
	}
	if (argc - optind != 2 || !message_read_endpoint(argv[optind + 1], &own))
		return die("wanted: [-i] [-n COUNT] USER IP:PORT");

	loop = epoll_create1(0);
	phones = calloc(phone_count, sizeof(*phones));
	if (loop < 0 || !phones)
		return die(strerror(errno));
	for (unsigned int i = 0; i < phone_count; i++) {
		introduce(&phones[i].who, argv[optind], i, &own, with_instance);
		if (!open_phone(&phones[i], &own, loop))
			return die(strerror(errno));
		own.sin_port = htons((uint16_t)(ntohs(own.sin_port) + 1));
	}
	return run(loop);
}
