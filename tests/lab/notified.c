/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notified.c - stands in for a service manager: "notified PATH" listens at a Unix datagram socket
 * and writes each message that comes on a line of its own, until it is ended.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char message[1024];
	ssize_t length;

	if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path))
		return 2;
	strcpy(address.sun_path, argv[1]);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    chmod(argv[1], 0777)) {
		perror(argv[1]);
		return 1;
	}
	while ((length = recv(fd, message, sizeof(message), 0)) >= 0) {
		printf("%.*s\n", (int)length, message);
		fflush(stdout);
	}
	perror("recv");
	return 1;
}
