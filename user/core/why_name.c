/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * why_name.c owns the answer to "would bind() succeed?" for what is no port of IP: a name of
 * AF_UNIX, a port of AF_VSOCK, a port id of AF_NETLINK. No option of a socket makes a difference.
 */
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "user/core/family.h"
#include "user/core/why.h"

static bool is_asked(const struct why *w, const struct life *life)
{
	if (life->protocol != w->protocol || life->netns != w->netns)
		return false;
	/* which protocol of netlink was not asked */
	if (w->local.family == AF_NETLINK)
		return endpoint_number(&life->local) == endpoint_number(&w->local);
	return endpoint_is_same_name(&life->local, &w->local);
}

static void add_holder(struct why *w, const struct port_row *row, const struct life *life)
{
	struct holder *h;

	if (w->holders.len == HOLDERS_MAX) {
		w->holders.omitted++;
		return;
	}
	w->rows[w->holders.len] = row;
	h = &w->holders.list[w->holders.len++];
	*h = (struct holder){
		.who = life->who_known ? &row->holders[0].who : NULL,
		.local = life->local,
		.netns = life->netns,
		.state = row->holders[0].sock.state,
		.origin = (uint8_t)port_row_origin(row),
		.conflict = { .answer = YES, .overlap = OVERLAP_SAME_ADDRESS },
	};
}

/* Whoever has the name and is connected, or is not. */
static void look(struct why *w, const struct port_row *rows, size_t len, bool connected)
{
	for (size_t i = 0; i < len; i++) {
		struct life life = port_life(&rows[i]);

		if ((rows[i].holders[0].sock.state == TCP_ESTABLISHED) == connected &&
		    is_asked(w, &life))
			add_holder(w, &rows[i], &life);
	}
}

/*
 * Only connected sockets have the name: one that bound it holds it, those that were accepted have
 * it from their listener, which is gone, and do not hold it (unix_stream_connect(),
 * vsock_insert_connected()).
 */
static bool is_held_maybe(const struct why *w)
{
	return w->holders.len && w->holders.list[0].state == TCP_ESTABLISHED;
}

/* bind() to a context id of another machine is refused, whoever has the number there. */
static bool is_of_some_cid(const struct why *w)
{
	return w->local.family == AF_VSOCK && endpoint_cid(&w->local) != VSOCK_ANY;
}

void why_judge_name(struct why *w, const struct taken *taken, enum tristate has_file)
{
	enum why_answer answer;
	size_t len;
	const struct port_row *rows = taken_rows(taken, &len);

	look(w, rows, len, false);
	if (!w->holders.len)
		look(w, rows, len, true);
	w->has_file = has_file;
	if (w->holders.len || has_file == YES) {
		w->obstacle = OBSTACLE_HELD;
		answer = is_held_maybe(w) && has_file != YES ? ANSWER_DEPENDS : ANSWER_NO;
	} else {
		answer = w->bound_known && has_file == NO && !is_of_some_cid(w) ? ANSWER_YES
										: ANSWER_UNKNOWN;
	}
	for (enum why_with with = 0; with < WITH_KINDS; with++)
		w->answers[with] = answer;
}

static bool is_abstract(const struct why *w)
{
	const struct path *path = endpoint_path(&w->local);

	return path && !path->bytes[0];
}

const char *why_name_hint(const struct why *w)
{
	if (w->obstacle != OBSTACLE_HELD)
		return NULL;
	if (w->has_file == YES && !w->holders.len)
		return "unlink() the file, if no program of another network namespace listens "
		       "there: a server does so before bind()";
	if (w->local.family == AF_UNIX && !is_abstract(w))
		return "stop the holder, or take another name; the file of a path stays behind, "
		       "unlink() it";
	if (w->local.family == AF_UNIX)
		return "stop the holder, or take another name; an abstract name is taken for "
		       "sockets of the holder's type, stream, datagram or seqpacket";
	if (w->local.family == AF_NETLINK)
		return "stop the holder, or take another number; each protocol of netlink has "
		       "numbers of its own";
	return "stop the holder, or take another number";
}

const char *why_name_note(const struct why *w)
{
	if (is_held_maybe(w) && w->has_file != YES)
		return "only connected sockets have it: one that bound it itself holds it, one "
		       "that a listener accepted does not.";
	if (w->obstacle == OBSTACLE_HELD)
		return w->holders.len ? NULL
				      : "there is a file of this name, and no socket seen has it.";
	if (w->bound_known && is_of_some_cid(w))
		return "no socket has it; whether the context id is one of this machine's is not "
		       "examined, of another bind() says EADDRNOTAVAIL.";
	if (why_answer(w) == ANSWER_UNKNOWN)
		return w->local.family == AF_UNIX
			       ? "whether there is a file of this name cannot be seen from here."
			       : "this kernel does not tell which sockets there are (vsock_diag).";
	return "no socket of this network namespace has it.";
}
