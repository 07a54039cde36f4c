/*
 * User-mode Linux 6.1 keeps 2,696 bytes of a processor's extended registers; the host's kernel takes them
 * back only whole, which on processors with AMX is more: "ptrace set fp regs failed, errno = 14". Loaded
 * before it (LD_PRELOAD), this gives back the rest as it was. Needed no more from Linux 6.13 on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define NT_X86_XSTATE 0x202
#define WHOLE_MAX 65536

static long set_whole(pid_t pid, void *kind, struct iovec *given)
{
	static _Alignas(64) unsigned char whole[WHOLE_MAX];
	struct iovec all = { whole, sizeof whole };
	long got = syscall(SYS_ptrace, PTRACE_GETREGSET, pid, kind, &all);

	if (got != 0 || all.iov_len <= given->iov_len)
		return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, kind, given);
	memcpy(whole, given->iov_base, given->iov_len);
	return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, kind, &all);
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list list;
	va_start(list, request);
	pid_t pid = va_arg(list, pid_t);
	void *address = va_arg(list, void *);
	void *data = va_arg(list, void *);
	va_end(list);

	if (request == PTRACE_SETREGSET && (long)address == NT_X86_XSTATE)
		return set_whole(pid, address, data);
	if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER) {
		/* The system call writes the word; the function returns it. */
		long word = 0;
		if (syscall(SYS_ptrace, request, pid, address, &word) < 0)
			return -1;
		errno = 0;
		return word;
	}
	return syscall(SYS_ptrace, request, pid, address, data);
}
