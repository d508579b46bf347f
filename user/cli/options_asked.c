/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options_asked.c owns the reading of an address and port that `why` is asked about.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "user/cli/options_values.h"
#include "user/util/parse.h"
#include "user/util/say.h"

#define PORT_MAX 65535

/* What stands before the colon of the port. */
struct place_text {
	const char *addr, *device; /* addr NULL: none given, device NULL: none */
	size_t addr_len, device_len;
	const char *port;
};

static void split_device(struct place_text *t)
{
	const char *percent = memchr(t->addr, '%', t->addr_len);

	if (!percent)
		return;
	t->device = percent + 1;
	t->device_len = t->addr_len - (size_t)(percent + 1 - t->addr);
	t->addr_len = (size_t)(percent - t->addr);
}

/* False: an address of IPv6 without brackets, or a bracket alone. */
static bool split(struct place_text *t, const char *text)
{
	const char *colon = strrchr(text, ':');
	const char *bracket = strchr(text, ']');

	*t = (struct place_text){ .port = text };
	if (!colon)
		return !bracket && *text != '[';
	t->port = colon + 1;
	t->addr = text;
	t->addr_len = (size_t)(colon - text);
	if (*text == '[') {
		if (!bracket || bracket + 1 != colon)
			return false;
		t->addr++;
		t->addr_len -= 2;
	} else if (memchr(text, ':', t->addr_len)) {
		return false;
	}
	split_device(t);
	return true;
}

static bool read_address(struct endpoint *end, const struct place_text *t)
{
	uint8_t addr[16], bits;

	if (!t->addr_len || (t->addr_len == 1 && *t->addr == '*'))
		return true;
	if (memchr(t->addr, '/', t->addr_len) || parse_address(t->addr, t->addr_len, addr, &bits))
		return false;
	if (memchr(t->addr, ':', t->addr_len)) {
		end->family = AF_INET6;
		memcpy(end->addr, addr, sizeof(addr));
	} else {
		end->family = AF_INET;
		memcpy(end->addr, addr + 12, 4);
	}
	return true;
}

static bool read_device(struct options *o, const struct place_text *t)
{
	if (!t->device)
		return true;
	if (!t->device_len || t->device_len >= sizeof(o->device))
		return false;
	memcpy(o->device, t->device, t->device_len);
	o->device[t->device_len] = '\0';
	return true;
}

static int read_port(const char *name, const char *text, const struct place_text *t,
		     uint16_t *where)
{
	uint64_t port;
	int err = parse_number(t->port, strlen(t->port), 1, PORT_MAX, &port);

	if (err == -ERANGE)
		say("%s: '%s' is out of range; ports are 1 to %d", name, t->port, PORT_MAX);
	else if (err)
		say("%s: '%s' has no port; write 80, 127.0.0.1:80, [::1]:80 or an errno", name,
		    text);
	if (err)
		return -EINVAL;
	*where = (uint16_t)port;
	return 0;
}

static int say_no_address(const char *name, const char *text)
{
	say("%s: '%s' is no address; write 127.0.0.1:80, [::1]:80 or 0.0.0.0%%eth0:80", name, text);
	return -EINVAL;
}

/* --proto=vsock or netlink came first: a number of 32 bits, of VSOCK also CID:NUMBER. */
static int set_number(struct options *o, const char *name, const char *text)
{
	bool vsock = o->live.families & WIRE_FAMILY_VSOCK;
	const char *colon = vsock ? strchr(text, ':') : NULL;
	const char *digits = colon ? colon + 1 : text;
	uint64_t number, cid = VSOCK_ANY;
	uint32_t words[2];

	if (parse_number(digits, strlen(digits), 1, UINT32_MAX, &number) ||
	    (colon && parse_number(text, (size_t)(colon - text), 0, UINT32_MAX, &cid))) {
		say(vsock ? "%s: '%s' is no number of 32 bits, nor CID:NUMBER"
			  : "%s: '%s' is no number of 32 bits",
		    name, text);
		return -EINVAL;
	}
	o->asked = (struct endpoint){ .family = vsock ? AF_VSOCK : AF_NETLINK, .port = 1 };
	words[0] = (uint32_t)(vsock ? cid : number);
	words[1] = (uint32_t)(vsock ? number : 0);
	memcpy(o->asked.addr, words, sizeof(words));
	return 0;
}

/* --proto named none of those whose ports are written like these. */
bool options_asks_no_port(const struct options *o)
{
	static const uint16_t with_ports[] = { IPPROTO_TCP,  IPPROTO_UDP,  IPPROTO_UDPLITE,
					       IPPROTO_ICMP, IPPROTO_SCTP, WIRE_PROTOCOL_MPTCP };

	if (!o->asked.port || endpoint_is_named(&o->asked) || o->all_protocols ||
	    !o->filter.protocols)
		return false;
	for (size_t i = 0; i < sizeof(with_ports) / sizeof(with_ports[0]); i++)
		if (o->filter.protocols & protocol_bit(with_ports[i]))
			return false;
	return true;
}

int options_set_asked(struct options *o, const char *name, const char *text)
{
	struct place_text t;
	uint16_t port;
	int err;

	if (o->live.families == WIRE_FAMILY_VSOCK || o->live.families == WIRE_FAMILY_NETLINK)
		return set_number(o, name, text);
	if (!split(&t, text)) {
		say("%s: '%s' is no address and port; write [::1]:80 for IPv6", name, text);
		return -EINVAL;
	}
	err = read_port(name, text, &t, &port);
	if (err)
		return err;
	if (t.addr && (!read_address(&o->asked, &t) || !read_device(o, &t)))
		return say_no_address(name, text);
	o->asked.port = port;
	return 0;
}

int options_take_lesson(struct options *o, const char *word)
{
	if (o->lesson) {
		say("lesson: '%s' is too much; one at a time, or --all", word);
		return -EINVAL;
	}
	o->lesson = lesson_find(word, &o->lesson_first);
	if (o->lesson)
		return 0;
	say("lesson: there is no '%s'; portlife lesson lists them", word);
	return -EINVAL;
}

int options_check_lesson(const struct options *o)
{
	const char *vain = NULL;

	if (o->command != OPTIONS_LESSON && (o->lesson_all || o->lesson_source))
		vain = "--all and --source are for 'lesson'; write: portlife lesson --all";
	else if (o->command != OPTIONS_LESSON)
		return 0;
	else if (o->lesson_all && o->lesson)
		vain = "lesson: --all, or one by its name, not both";
	else if (o->lesson_source && (!o->lesson || o->replay || o->record))
		vain = "lesson: --source is for one; write: portlife lesson NAME --source";
	else if (o->lesson_all && o->replay)
		vain = "lesson: --all runs them; -r FILE shows what is in FILE";
	else if (o->record && !o->lesson && !o->lesson_all)
		vain = "lesson: which one is to be recorded? portlife lesson lists them";
	else if (o->filter.pids_len || o->filter.has_netns || o->filter.ports_len ||
		 o->filter.failed || o->live.duration_ns || o->count || o->live.has_uid ||
		 o->live.comm || o->fail_on)
		vain = "lesson: options that choose what to watch are for watching";
	if (!vain)
		return 0;
	say("%s", vain);
	return -EINVAL;
}

int options_set_asked_path(struct options *o, const char *name, const char *text)
{
	size_t len = strlen(text);

	if (len > WIRE_PATH_MAX || len < 2) {
		say("%s: '%s' is no name of a socket; a path has at most %d bytes", name, text,
		    WIRE_PATH_MAX);
		return -EINVAL;
	}
	o->asked_path.len = (uint16_t)len;
	memcpy(o->asked_path.bytes, text, len);
	if (*text == '@')
		o->asked_path.bytes[0] = '\0';
	o->asked = (struct endpoint){ .port = 1 };
	endpoint_set_path(&o->asked, &o->asked_path);
	o->live.families |= WIRE_FAMILY_UNIX;
	return 0;
}

int options_set_connect(struct options *o, const char *name, const char *text)
{
	struct place_text t;

	if (!split(&t, text) || !t.addr || t.device) {
		say("%s: '%s' is no address and port; write 10.0.0.1:443 or [2001:db8::1]:443",
		    name, text);
		return -EINVAL;
	}
	if (!read_address(&o->connect_to, &t) || !o->connect_to.family)
		return say_no_address(name, text);
	return read_port(name, text, &t, &o->connect_to.port);
}

int options_set_from(struct options *o, const char *name, const char *text)
{
	const struct place_text t = { .addr = text, .addr_len = strlen(text) };

	if (read_address(&o->connect_from, &t) && o->connect_from.family)
		return 0;
	say("%s: '%s' is no address; write 10.0.0.2 or 2001:db8::2", name, text);
	return -EINVAL;
}
