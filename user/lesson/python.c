/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/lesson/python.h"

#include <stdio.h>
#include <string.h>

#include "user/util/fmt.h"

static const char *option_text(enum step_option option)
{
	switch (option) {
	case OPTION_REUSEADDR:
		return "SOL_SOCKET, SO_REUSEADDR";
	case OPTION_REUSEPORT:
		return "SOL_SOCKET, SO_REUSEPORT";
	case OPTION_NO_PORT:
		return "IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT";
	case OPTION_RANGE:
		return "IPPROTO_IP, IP_LOCAL_PORT_RANGE";
	}
	return "";
}

static const char *family_text(const struct step *s)
{
	if (s->family == AF_UNIX)
		return "AF_UNIX";
	if (s->family == AF_NETLINK)
		return "AF_NETLINK";
	if (s->family == AF_VSOCK)
		return "AF_VSOCK";
	return s->family == AF_INET6 ? "AF_INET6" : "AF_INET";
}

static const char *protocol_text(const struct step *s)
{
	switch (s->protocol) {
	case IPPROTO_ICMP:
		return ", IPPROTO_ICMP";
	case IPPROTO_SCTP:
		return ", IPPROTO_SCTP";
	case LESSON_MPTCP:
		return ", IPPROTO_MPTCP";
	default:
		return "";
	}
}

static void line_socket(char *line, const struct step *s)
{
	const char *type = s->type == SOCK_STREAM  ? "SOCK_STREAM"
			   : s->type == SOCK_DGRAM ? "SOCK_DGRAM"
						   : "SOCK_RAW";

	if (s->text)
		snprintf(line, PYTHON_LINE_MAX, "%s = loaded_socket(\"%s\", %s, %s%s)", s->socket,
			 s->text, family_text(s), type, protocol_text(s));
	else
		snprintf(line, PYTHON_LINE_MAX, "%s = socket(%s, %s%s)", s->socket, family_text(s),
			 type, protocol_text(s));
}

/* The address of bind(), connect() and sendto(), as Python has it. */
static void address_text(char *text, size_t len, const struct step *s)
{
	if (s->addr[0] == '@')
		snprintf(text, len, "\"\\0%s\"", s->addr + 1);
	else if (s->addr[0] == '(')
		snprintf(text, len, "%s", s->addr);
	else if (!s->addr[0])
		snprintf(text, len, "\"\"");
	else if (!s->port_of)
		snprintf(text, len, "(\"%s\", %u)", s->addr, s->port);
	else if (!strcmp(s->port_of, TOLD))
		snprintf(text, len, "(\"%s\", told)", s->addr);
	else
		snprintf(text, len, "(\"%s\", port(%s))", s->addr, s->port_of);
}

static void line_addressed(char *line, const struct step *s)
{
	char address[96];

	address_text(address, sizeof(address), s);
	if (s->op == STEP_SEND_TO)
		snprintf(line, PYTHON_LINE_MAX, "%s.sendto(%s, %s)", s->socket,
			 s->protocol == IPPROTO_ICMP ? "ECHO" : "b\"hi\"", address);
	else
		snprintf(line, PYTHON_LINE_MAX, "%s.%s(%s)", s->socket,
			 s->op == STEP_BIND ? "bind" : "connect", address);
}

static void line_option(char *line, const struct step *s)
{
	if (s->option == OPTION_RANGE)
		snprintf(line, PYTHON_LINE_MAX, "%s.setsockopt(%s, between(%u, %u))", s->socket,
			 option_text(s->option), s->value & 0xffff, s->value >> 16);
	else
		snprintf(line, PYTHON_LINE_MAX, "%s.setsockopt(%s, %u)", s->socket,
			 option_text(s->option), s->value);
}

void python_line(char line[PYTHON_LINE_MAX], const struct step *s)
{
	switch (s->op) {
	case STEP_NOTE:
		snprintf(line, PYTHON_LINE_MAX, "# %s", s->text);
		break;
	case STEP_SOCKET:
		line_socket(line, s);
		break;
	case STEP_OPTION:
		line_option(line, s);
		break;
	case STEP_BIND:
	case STEP_CONNECT:
	case STEP_SEND_TO:
		line_addressed(line, s);
		break;
	case STEP_LISTEN:
		snprintf(line, PYTHON_LINE_MAX, "%s.listen(5)", s->socket);
		break;
	case STEP_ACCEPT:
		snprintf(line, PYTHON_LINE_MAX, "%s = %s.accept()[0]", s->socket, s->from);
		break;
	case STEP_SEND_PORT:
		snprintf(line, PYTHON_LINE_MAX, "%s.send(b\"%%d\" %% port(%s))", s->socket,
			 s->port_of);
		break;
	case STEP_HEAR_PORT:
		snprintf(line, PYTHON_LINE_MAX, "told = int(%s.recv(10))", s->socket);
		break;
	case STEP_GETSOCKNAME:
		snprintf(line, PYTHON_LINE_MAX, "%s.getsockname()", s->socket);
		break;
	case STEP_GETPEERNAME:
		snprintf(line, PYTHON_LINE_MAX, "%s.getpeername()", s->socket);
		break;
	case STEP_CLOSE:
		snprintf(line, PYTHON_LINE_MAX, "%s.close()", s->socket);
		break;
	case STEP_SETTING:
		snprintf(line, PYTHON_LINE_MAX, "setting(\"%s\", \"%s\")", s->text, s->set_to);
		break;
	case STEP_READ_SETTING:
		snprintf(line, PYTHON_LINE_MAX, "setting(\"%s\")", s->text);
		break;
	case STEP_ADDRESS:
		snprintf(line, PYTHON_LINE_MAX, "address(\"%s\")", s->addr);
		break;
	case STEP_PRIVILEGE:
		snprintf(line, PYTHON_LINE_MAX, "privilege(%s)", s->value ? "True" : "False");
		break;
	}
}

void python_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void place_number(char text[PYTHON_PLACE_MAX], const struct wire_place *place,
			 const uint8_t *at, const char *ahead)
{
	uint32_t number;

	memcpy(&number, at, sizeof(number));
	if (place->port)
		snprintf(text, PYTHON_PLACE_MAX, "%s%u", ahead, number);
	else
		snprintf(text, PYTHON_PLACE_MAX, "no number");
}

void python_place(char text[PYTHON_PLACE_MAX], const struct wire_place *place)
{
	char addr[FMT_INET6_MAX + 1], *end;
	size_t len = place->port < 16 ? place->port : 16;
	uint32_t cid;

	switch (place->family) {
	case AF_INET:
		end = fmt_inet4(addr, place->addr);
		*end = '\0';
		snprintf(text, PYTHON_PLACE_MAX, "%s:%u", addr, place->port);
		break;
	case AF_INET6:
		end = fmt_inet6(addr, place->addr);
		*end = '\0';
		snprintf(text, PYTHON_PLACE_MAX, "[%s]:%u", addr, place->port);
		break;
	case AF_NETLINK:
		place_number(text, place, place->addr, "number ");
		break;
	case AF_VSOCK:
		memcpy(&cid, place->addr, sizeof(cid));
		snprintf(addr, sizeof(addr), cid == UINT32_MAX ? "any:" : "%u:", cid);
		place_number(text, place, place->addr + 4, addr);
		break;
	case AF_UNIX:
		if (!len)
			snprintf(text, PYTHON_PLACE_MAX, "no name");
		else /* an abstract name begins with NUL */
			snprintf(text, PYTHON_PLACE_MAX, "@%.*s", (int)len - 1, place->addr + 1);
		break;
	default:
		snprintf(text, PYTHON_PLACE_MAX, "-");
	}
	python_printable(text);
}

/* --- the script -------------------------------------------------------------------------- */

static const char script_world[] =
	"import ctypes, errno, os, signal, struct\n"
	"from fcntl import ioctl\n"
	"from socket import *\n"
	"\n"
	"IP_BIND_ADDRESS_NO_PORT, IP_LOCAL_PORT_RANGE, IPPROTO_MPTCP = 24, 51, 262\n"
	"CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000\n"
	"ECHO = b\"\\x08\\0\\xf7\\xff\\0\\0\\0\\0\"  # what ping sends\n"
	"libc = ctypes.CDLL(None, use_errno=True)\n"
	"\n"
	"def unshare(what):\n"
	"    if libc.unshare(what):\n"
	"        raise OSError(ctypes.get_errno(), \"unshare\")\n"
	"\n"
	"def own_network():\n"
	"    \"\"\"Nothing on this machine is touched: all of it happens in a network of its "
	"own.\"\"\"\n"
	"    uid, gid = os.geteuid(), os.getegid()\n"
	"    try:\n"
	"        unshare(CLONE_NEWNET)\n"
	"    except OSError:\n"
	"        unshare(CLONE_NEWUSER | CLONE_NEWNET)\n"
	"        for name, text in ((\"uid_map\", f\"0 {uid} 1\"), (\"setgroups\", \"deny\"),\n"
	"                           (\"gid_map\", f\"0 {gid} 1\")):\n"
	"            with open(\"/proc/self/\" + name, \"w\") as file:\n"
	"                file.write(text)\n"
	"    with socket(AF_INET, SOCK_DGRAM) as s:\n"
	"        ioctl(s, 0x8914, struct.pack(\"16sh14x\", b\"lo\", 0x41))  # lo is up\n"
	"\n"
	"def address(addr, count=[0]):\n"
	"    \"\"\"One address more for this machine.\"\"\"\n"
	"    count[0] += 1\n"
	"    name = b\"lo:%d\" % count[0]\n"
	"    with socket(AF_INET, SOCK_DGRAM) as s:\n"
	"        for request, what in (0x8916, addr), (0x891c, \"255.255.255.255\"):\n"
	"            ioctl(s, request, struct.pack(\"16sHH4s8x\", name, AF_INET, 0, "
	"inet_aton(what)))\n"
	"\n"
	"def setting(name, value=None):\n"
	"    with open(\"/proc/sys/net/ipv4/\" + name, \"r\" if value is None else \"w\") as "
	"file:\n"
	"        return \" \".join(file.read().split()) if value is None else "
	"bool(file.write(value))\n"
	"\n"
	"def privilege(on):\n"
	"    \"\"\"With or without the right to bind ports below 1024 "
	"(CAP_NET_BIND_SERVICE).\"\"\"\n"
	"    head, data = struct.pack(\"Ii\", 0x20080522, 0), ctypes.create_string_buffer(24)\n"
	"    libc.capget(head, data)\n"
	"    low, *rest = struct.unpack(\"6I\", data.raw)\n"
	"    low = low | 1 << 10 if on else low & ~(1 << 10)\n"
	"    libc.capset(head, struct.pack(\"6I\", low, *rest))\n"
	"\n"
	"def loaded_socket(name, *what):\n"
	"    \"\"\"Only if the kernel has it already: a lesson has nothing loaded.\"\"\"\n"
	"    with open(\"/proc/net/protocols\") as file:\n"
	"        if not any(line.split()[0] == name for line in file):\n"
	"            raise OSError(errno.EPROTONOSUPPORT, os.strerror(errno.EPROTONOSUPPORT))\n"
	"    return socket(*what)\n"
	"\n"
	"def between(low, high):\n"
	"    return struct.pack(\"I\", low | high << 16)\n"
	"\n"
	"def port(s):\n"
	"    return s.getsockname()[1]\n"
	"\n"
	"def place(name, which=\"getsockname\"):\n"
	"    \"\"\"What getsockname() says, as portlife writes it.\"\"\"\n"
	"    s = globals().get(name)\n"
	"    if not isinstance(s, socket) or s.fileno() < 0:\n"
	"        return None\n"
	"    try:\n"
	"        at = getattr(s, which)()\n"
	"    except OSError:\n"
	"        return None\n"
	"    if s.family == AF_NETLINK:\n"
	"        number = \"number %d\" % at[0] if at[0] else \"no number\"\n"
	"        return None if which == \"getpeername\" else number\n"
	"    if s.family == AF_VSOCK:\n"
	"        cid = \"any\" if at[0] == VMADDR_CID_ANY else at[0]\n"
	"        return \"no number\" if at[1] == VMADDR_PORT_ANY else f\"{cid}:{at[1]}\"\n"
	"    if s.family == AF_UNIX:\n"
	"        text = at if isinstance(at, str) else at.decode()\n"
	"        return \"@\" + text[1:] if text else \"no name\"\n"
	"    return (\"[%s]:%d\" if s.family == AF_INET6 else \"%s:%d\") % at[:2]\n"
	"\n";

static const char script_go[] =
	"def show(name, line, before):\n"
	"    \"\"\"The socket before and after, in portlife's words.\"\"\"\n"
	"    after, peer = place(name), place(name, \"getpeername\")\n"
	"    to = \", connected to \" + peer if peer and (\"connect(\" in line or \"accept(\" in "
	"line) else \"\"\n"
	"    if \".getsockname\" in line or \".getpeername\" in line:\n"
	"        print(\"    =\", peer if \".getpeername\" in line else after)\n"
	"    elif \".close\" in line and before:\n"
	"        print(f\"    {name}: was {before}\")\n"
	"    elif \"accept(\" in line and after:\n"
	"        print(f\"    {name}: {after}{to}\")\n"
	"    elif before and after and \"setsockopt\" not in line:\n"
	"        print(f\"    {name}: {before} -> {after}{to}\" if before != after else\n"
	"              f\"    {name}: {after}, as before{to}\")\n"
	"\n"
	"signal.alarm(30)\n"
	"own_network()\n"
	"for line in PROGRAM.strip().splitlines():\n"
	"    if line.startswith(\"#\"):\n"
	"        print(\"\\n\" + line)\n"
	"        continue\n"
	"    print(\">>>\", line)\n"
	"    name = line.split(\" = \")[0] if \" = \" in line else line.split(\".\")[0]\n"
	"    before = place(name)\n"
	"    try:\n"
	"        exec(line)\n"
	"        if line.startswith(\"setting\") and \", \" not in line or "
	"line.startswith(\"told\"):\n"
	"            print(\"    =\", told if line.startswith(\"told\") else eval(line))\n"
	"    except OSError as failure:\n"
	"        print(\"    failed:\", errno.errorcode.get(failure.errno, failure.errno), \"-\",\n"
	"              failure.strerror)\n"
	"    except NameError:\n"
	"        print(\"    failed: EBADF - there is no such socket\")\n"
	"    show(name, line, before)\n";

/* As portlife's own lines, so that the two can be laid side by side. */
void python_script(struct out *out, const struct lesson *lesson, size_t number)
{
	char line[PYTHON_LINE_MAX];
	int len;

	len = snprintf(line, sizeof(line),
		       "#!/usr/bin/env python3\n# Lesson %zu of portlife, %s:\n# ", number,
		       lesson->name);
	out_write(out, line, (size_t)len);
	out_write(out, lesson->question, strlen(lesson->question));
	out_write(out, "\nPROGRAM = r'''\n", strlen("\nPROGRAM = r'''\n"));
	for (size_t i = 0; i < lesson->steps_len; i++) {
		python_line(line, &lesson->steps[i]);
		out_write(out, line, strlen(line));
		out_write(out, "\n", 1);
	}
	out_write(out, "'''\n\n", 5);
	out_write(out, script_world, sizeof(script_world) - 1);
	out_write(out, script_go, sizeof(script_go) - 1);
}
